package org.vse.test.house;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The rules of the house, for the classes below one package.
 *
 * @param root {@code org.vse} for the house itself
 */
record House(String root) {
    /** What each module may use of ours; {@code org.vse.job} may use all. */
    private static final Map<String, List<String>> USES = Map.of(
            "failure", List.of(),
            "process", List.of("failure"),
            "yaml", List.of("failure"),
            "policy", List.of("failure", "yaml"),
            "imagestore", List.of("failure", "process", "yaml"),
            "ledger", List.of("failure"),
            "provisioner", List.of("failure", "process", "imagestore"),
            "scheduler", List.of("failure", "policy"),
            "job", List.of("failure", "process", "yaml", "policy", "imagestore", "ledger", "provisioner", "scheduler"));

    /** The names of the rooms. */
    static List<String> rooms() {
        return USES.keySet().stream().sorted().toList();
    }

    /** One rule for each module: of ours it uses itself and what it may use, nothing else. */
    List<ArchRule> dependencies() {
        List<ArchRule> rules = new ArrayList<>();
        for (String room : rooms()) {
            List<String> allowed = new ArrayList<>(USES.get(room));
            allowed.add(room);
            DescribedPredicate<JavaClass> others = resideInAPackage(root + "..")
                    .and(DescribedPredicate.not(
                            resideInAnyPackage(allowed.stream().map(this::in).toArray(String[]::new))))
                    .as("be outside of %s", allowed);
            rules.add(noClasses()
                    .that()
                    .resideInAPackage(in(room))
                    .should()
                    .dependOnClassesThat(others)
                    .as("module " + room + " uses of ours only " + allowed)
                    .allowEmptyShould(true));
        }
        return rules;
    }

    /** Every class is in one of the rooms. */
    ArchRule nothingOutsideTheRooms() {
        return noClasses()
                .should()
                .resideOutsideOfPackages(rooms().stream().map(this::in).toArray(String[]::new))
                .as("every class is in a room");
    }

    ArchRule onlyProcessStartsProcesses() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(in("process"))
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ProcessBuilder.class)
                .orShould()
                .callMethodWhere(DescribedPredicate.describe(
                        "Runtime.exec",
                        call -> call.getTargetOwner().isEquivalentTo(Runtime.class)
                                && call.getName().equals("exec")))
                .as("only " + root + ".process starts programs");
    }

    /** What happens is told by events; what counts them is exchanged in one place. */
    ArchRule onlyMetricsKnowTheirLibrary() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(in("job.metrics"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.micrometer..")
                .as("only " + root + ".job.metrics uses Micrometer");
    }

    ArchRule onlyTheCommandLineEndsTheJvm() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(root + ".job.cli..")
                .should()
                .callMethodWhere(DescribedPredicate.describe(
                        "System.exit, Runtime.exit or Runtime.halt",
                        call -> (call.getTargetOwner().isEquivalentTo(System.class)
                                        || call.getTargetOwner().isEquivalentTo(Runtime.class))
                                && List.of("exit", "halt").contains(call.getName())))
                .as("only " + root + ".job.cli ends the JVM");
    }

    /** A guest's agent tells nothing by itself, it can only be asked again: the one wait that is a sleep. */
    ArchRule nobodySleeps() {
        return noClasses()
                .that()
                .doNotHaveFullyQualifiedName(root + ".provisioner.guest.Backoff")
                .should()
                .callMethodWhere(DescribedPredicate.describe(
                        "a sleep",
                        call -> call.getName().equals("sleep")
                                && (call.getTargetOwner().isAssignableTo(Thread.class)
                                        || call.getTargetOwner().isEquivalentTo(java.util.concurrent.TimeUnit.class))))
                .as("readiness is not waited for by sleeping");
    }

    ArchRule everyClassHasAName() {
        return noClasses()
                .should()
                .haveNameMatching(".*[.$]?\\w*(Manager|Utils|Util|Helper|Impl|Base|Common|Misc)(\\$.*)?")
                .as("no class is named Manager, Utils, Util, Helper, Impl, Base, Common or Misc");
    }

    /** A process has one libvirt event loop, whatever its classes would like: the one state that is static. */
    ArchRule staticFieldsAreFinal() {
        return fields().that()
                .areStatic()
                .and()
                .areNotDeclaredIn(root + ".provisioner.libvirt.EventLoop")
                .should()
                .beFinal()
                .as("there is no static field that changes")
                .allowEmptyShould(true);
    }

    List<ArchRule> all() {
        List<ArchRule> rules = new ArrayList<>(dependencies());
        rules.add(nothingOutsideTheRooms());
        rules.add(onlyProcessStartsProcesses());
        rules.add(onlyMetricsKnowTheirLibrary());
        rules.add(onlyTheCommandLineEndsTheJvm());
        rules.add(nobodySleeps());
        rules.add(everyClassHasAName());
        rules.add(staticFieldsAreFinal());
        return rules;
    }

    private String in(String room) {
        return root + "." + room + "..";
    }
}
