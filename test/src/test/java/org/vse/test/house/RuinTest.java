package org.vse.test.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Every rule of the house can fail: below {@code org.vse.test.house.ruin} each of them is broken. */
class RuinTest {
    private static final House RUIN = new House("org.vse.test.house.ruin");
    private final JavaClasses classes = new ClassFileImporter().importPackages(RUIN.root());

    @Test
    void aForbiddenDependencyOfEveryRoomIsFound() {
        List<ArchRule> rules = RUIN.dependencies();
        List<String> rooms = House.rooms();
        for (int i = 0; i < rooms.size(); i++) {
            assertThat(text(rules.get(i))).contains(RUIN.root() + "." + rooms.get(i) + ".Room.forbidden");
        }
        assertThat(rules).hasSameSizeAs(rooms);
    }

    @Test
    void aDependencyThatIsAllowedIsNot() {
        String found = RUIN.dependencies().stream().map(this::text).collect(Collectors.joining("\n"));
        assertThat(found).doesNotContain("Allowed");
    }

    @Test
    void aClassOutsideTheRoomsIsFound() {
        assertThat(text(RUIN.nothingOutsideTheRooms())).contains("Homeless").doesNotContain(".Room>");
    }

    @Test
    void startingAProgramIsFoundInBothForms() {
        assertThat(text(RUIN.onlyProcessStartsProcesses()))
                .contains("Breaks.builds")
                .contains("Breaks.execs")
                .doesNotContain("ruin.process");
    }

    @Test
    void countingByHandIsFound() {
        assertThat(text(RUIN.onlyMetricsKnowTheirLibrary())).contains("Breaks.counts");
    }

    @Test
    void endingTheJvmIsFoundInEveryForm() {
        assertThat(text(RUIN.onlyTheCommandLineEndsTheJvm()))
                .contains("Breaks.exits")
                .contains("Breaks.halts")
                .doesNotContain("ruin.job.cli");
    }

    @Test
    void sleepingIsFoundInBothForms() {
        assertThat(text(RUIN.nobodySleeps()))
                .contains("Breaks.sleeps")
                .contains("Breaks.rests")
                .doesNotContain("Backoff");
    }

    @Test
    void aNameThatIsNoneIsFound() {
        assertThat(text(RUIN.everyClassHasAName()))
                .contains("LedgerManager")
                .contains("Breaks$StringUtils")
                .contains("Common")
                .doesNotContain("Homeless");
    }

    @Test
    void aStaticFieldThatChangesIsFound() {
        assertThat(text(RUIN.staticFieldsAreFinal()))
                .contains("instance")
                .doesNotContain("CONSTANT")
                .doesNotContain("EventLoop");
    }

    private String text(ArchRule rule) {
        return String.join("\n", rule.evaluate(classes).getFailureReport().getDetails());
    }
}
