package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;
import org.vse.job.doctor.Finding.State;

/** What keeps Grid Engine from calling the hooks as they have to be called. Looks and changes nothing. */
final class GridEngineDiagnosis {
    private static final String MEND = "vse install --scheduler gridengine";
    private static final String COMPILE = "vse policy compile --output " + GridEngineInstallation.POLICY;

    private final InstallPlan.Host host;
    private final Qmaster qmaster;

    GridEngineDiagnosis(InstallPlan.Host host, Qmaster qmaster) {
        this.host = host;
        this.qmaster = qmaster;
    }

    /**
     * One line for each thing that was looked at.
     *
     * @param roles what the host is
     */
    List<Doctor.Line> examine(List<Role> roles) {
        if (!qmaster.isThere()) {
            return List.of(line(
                    "gridengine-cell",
                    failed("there is no " + qmaster.common(), "install and configure Grid Engine on this host")));
        }
        List<Doctor.Line> lines = new ArrayList<>();
        if (host.root().getNameCount() == 0) {
            lines.add(line("gridengine-qmaster", answers()));
        }
        if (roles.contains(Role.NODE)) {
            lines.add(line("gridengine-hooks", hooks()));
        }
        if (roles.contains(Role.HEAD) || roles.contains(Role.SUBMIT)) {
            lines.add(line("gridengine-gate", gate()));
            lines.add(line("gridengine-policy", policy()));
        }
        if (roles.contains(Role.HEAD)) {
            lines.add(line("gridengine-queues", queues()));
        }
        return lines;
    }

    private Finding answers() {
        return qmaster.answers()
                ? ok("qconf and qstat are answered")
                : failed(
                        "the qmaster does not answer this host: prologs cannot ask about their jobs",
                        "on the qmaster: qconf -as HOST");
    }

    private Finding hooks() {
        List<String> lacks = GridEngineInstallation.PROGRAMS.stream()
                .map(GridEngineInstallation.HOOKS::resolve)
                .filter(path -> host.text(path).filter(HookText::isOurs).isEmpty())
                .map(Path::toString)
                .toList();
        return lacks.isEmpty()
                ? ok(GridEngineInstallation.HOOKS.toString())
                : failed(
                        String.join(", ", lacks) + " missing: the first job takes every queue from this host",
                        MEND + " --role node");
    }

    private Finding gate() {
        GridEngineInstallation installation = new GridEngineInstallation(host);
        Optional<String> request = host.text(installation.request());
        if (request.filter(text -> text.contains(installation.gateLine())).isEmpty()) {
            return failed(
                    installation.request() + " does not name the gate: #VSE lines are judged on nodes only", MEND);
        }
        return host.text(installation.gate()).isPresent()
                ? ok("-jsv " + installation.gate())
                : failed(installation.gate() + " is missing: nothing can be submitted", MEND);
    }

    private Finding policy() {
        Optional<String> policy = host.text(GridEngineInstallation.POLICY);
        if (policy.isEmpty()) {
            return failed(
                    "there is no " + GridEngineInstallation.POLICY + ": jobs with #VSE lines are refused", COMPILE);
        }
        boolean whole = policy.get().startsWith("vse-gate\t1\n") && policy.get().endsWith("\nend\n");
        return whole
                ? ok(GridEngineInstallation.POLICY.toString())
                : failed(GridEngineInstallation.POLICY + " is not whole or of another version", COMPILE);
    }

    private Finding queues() {
        List<String> without = qmaster.queues().stream()
                .filter(name -> !qmaster.queue(name).isInstalled())
                .toList();
        return without.isEmpty()
                ? ok("every queue calls the hooks")
                : failed("without the hooks: " + String.join(", ", without), MEND + " --role head");
    }

    private static Doctor.Line line(String check, Finding finding) {
        return new Doctor.Line(check, finding);
    }

    private static Finding ok(String found) {
        return new Finding(State.OK, found, "");
    }

    private static Finding failed(String found, String mend) {
        return new Finding(State.FAILED, found, mend);
    }
}
