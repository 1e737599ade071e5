package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.doctor.Doctor;

/**
 * The hooks of Grid Engine: prolog, epilog, starter_method and suspend_method on nodes, each queue's attributes that name
 * them, and a JSV beside {@code sge_request}, which all hosts of the cell read. Programs of the site's are called by ours.
 */
public final class GridEngineInstallation implements Installation {
    static final Path HOOKS = Path.of("/etc/vse/gridengine");
    static final Path POLICY = Path.of("/etc/vse/policy.gate");
    static final List<String> PROGRAMS = List.of("prolog", "epilog", "starter", "suspend");
    private static final String OURS = "# by 'vse install'";
    private static final String NO_NEWLINE = "; the line before had no end";

    private final InstallPlan.Host host;
    private final Qmaster qmaster;

    public GridEngineInstallation(InstallPlan.Host host) {
        this.host = host;
        this.qmaster = new Qmaster(host);
    }

    @Override
    public InstallPlan install(List<Role> roles, List<String> launcher) {
        requireCell();
        List<FileChange> changes = new ArrayList<>();
        if (roles.contains(Role.NODE)) {
            for (String name : PROGRAMS) {
                changes.add(hook(HOOKS.resolve(name), name, launcher));
            }
        }
        if (roles.contains(Role.HEAD) || roles.contains(Role.SUBMIT)) {
            changes.add(hook(gate(), "jsv", launcher));
            changes.add(request(withGate(own(host.text(request())))));
        }
        if (roles.contains(Role.HEAD)) {
            QueueConf global = qmaster.global();
            for (String name : qmaster.queues()) {
                changes.add(qmaster.change(name, qmaster.queue(name).install(global)));
            }
        }
        return new InstallPlan(changes, afterwards(roles));
    }

    @Override
    public InstallPlan uninstall() {
        requireCell();
        List<FileChange> changes = new ArrayList<>();
        if (isHead()) {
            for (String name : qmaster.queues()) {
                changes.add(qmaster.change(name, qmaster.queue(name).uninstall()));
            }
        }
        Optional<String> request = host.text(request());
        if (request.filter(text -> text.contains(OURS)).isPresent()) {
            changes.add(request(own(request)));
        }
        changes.add(new FileChange(gate(), host.text(gate()), Optional.empty(), true));
        for (String name : PROGRAMS) {
            Path path = HOOKS.resolve(name);
            changes.add(new FileChange(path, host.text(path), Optional.empty(), true));
        }
        return new InstallPlan(changes, List.of("qstat -f -qs E"));
    }

    @Override
    public List<Doctor.Line> examine(List<Role> roles) {
        return new GridEngineDiagnosis(host, qmaster).examine(roles);
    }

    Path gate() {
        return qmaster.common().resolve("vse-jsv");
    }

    Path request() {
        return qmaster.common().resolve("sge_request");
    }

    String gateLine() {
        return "\n-jsv " + gate() + "\n";
    }

    private String withGate(String own) {
        boolean joined = !own.isEmpty() && !own.endsWith("\n");
        return own + (joined ? "\n" + OURS + NO_NEWLINE : OURS) + gateLine();
    }

    /** True unless another host has the qmaster of the cell: only there are queues changed. */
    private boolean isHead() {
        return !qmaster.queues().isEmpty();
    }

    /** The file without our lines; a file that was not there is empty. */
    private String own(Optional<String> request) {
        return request.orElse("")
                .replace("\n" + OURS + NO_NEWLINE + gateLine(), "")
                .replace(OURS + gateLine(), "");
    }

    private FileChange request(String after) {
        Optional<String> before = host.text(request());
        return new FileChange(request(), before, after.isEmpty() ? Optional.empty() : Optional.of(after), false);
    }

    private void requireCell() {
        if (!qmaster.isThere()) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "there is no cell of Grid Engine on this host")
                    .at(qmaster.common().resolve("bootstrap").toString())
                    .next("install and configure Grid Engine first, or give --root");
        }
    }

    private FileChange hook(Path path, String name, List<String> launcher) {
        String text = HookText.resource("gridengine/" + name)
                .replace("@VSE@", HookText.quoted(launcher))
                .replace("@POLICY@", POLICY.toString())
                .replace(
                        "@ENVIRONMENT@",
                        name.equals("jsv") ? qmaster.onOneHost().orElse("") : "");
        return new FileChange(path, host.text(path), Optional.of(text), true);
    }

    private static List<String> afterwards(List<Role> roles) {
        List<String> commands = new ArrayList<>();
        if (roles.contains(Role.HEAD) || roles.contains(Role.SUBMIT)) {
            commands.add("vse policy compile --output " + POLICY);
        }
        commands.add("vse doctor --scheduler gridengine");
        return commands;
    }
}
