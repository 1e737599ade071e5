package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.doctor.Doctor;

/**
 * The hooks of OpenPBS: they live in its server, which sends them to its nodes, so what a host gets are their texts and the
 * qmgr commands that bring them in. Where users submit, a qsub stands before OpenPBS' own.
 */
public final class OpenPbsInstallation implements Installation {
    static final Path HOOKS = Path.of("/etc/vse/openpbs");
    static final Path POLICY = Path.of("/etc/vse/policy.gate");
    static final Path CONF = Path.of("/etc/pbs.conf");
    static final Path GATE = HOOKS.resolve("gate.py");
    static final Path NODE = HOOKS.resolve("node.py");
    static final Path QSUB = HOOKS.resolve("bin/qsub");
    static final Path PROFILE = Path.of("/etc/profile.d/vse-openpbs.sh");
    private static final Path QMGR = HOOKS.resolve("install.qmgr");

    private final InstallPlan.Host host;

    public OpenPbsInstallation(InstallPlan.Host host) {
        this.host = host;
    }

    @Override
    public InstallPlan install(List<Role> roles, List<String> launcher) {
        if (host.text(CONF).isEmpty()) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "there is no pbs.conf on this host")
                    .at(CONF.toString())
                    .next("install and configure OpenPBS first, or give --root");
        }
        List<FileChange> changes = new ArrayList<>();
        List<String> afterwards = new ArrayList<>();
        if (roles.contains(Role.HEAD)) {
            changes.add(change(GATE, gate(), false));
            changes.add(change(NODE, node(launcher), false));
            changes.add(change(QMGR, resource("openpbs/install.qmgr"), false));
            afterwards.add("qmgr < " + QMGR);
        }
        if (roles.contains(Role.SUBMIT)) {
            changes.add(change(QSUB, resource("openpbs/qsub"), true));
            String bin = String.valueOf(QSUB.getParent());
            changes.add(change(PROFILE, resource("openpbs/path.sh").replace("@BIN@", bin), false));
            afterwards.add("log in again, so that qsub is " + QSUB);
        }
        return new InstallPlan(changes, afterwards);
    }

    @Override
    public InstallPlan uninstall() {
        List<FileChange> changes = new ArrayList<>();
        for (Path path : List.of(GATE, NODE, QMGR, QSUB, PROFILE)) {
            changes.add(new FileChange(path, host.text(path), Optional.empty(), false));
        }
        return new InstallPlan(
                changes,
                List.of(
                        "qmgr -c 'delete hook vse_gate'",
                        "qmgr -c 'delete hook vse_node'",
                        "qmgr -c 'delete resource vse_image,vse_lines'    when no job has them"));
    }

    @Override
    public List<Doctor.Line> examine(List<Role> roles) {
        return new OpenPbsDiagnosis(host).examine(roles);
    }

    private static String gate() {
        return "# The gate of OpenPBS, by 'vse install'.\n"
                + resource("pbs/gate.py").replace("@POLICY@", POLICY.toString())
                + resource("openpbs/queuejob.py");
    }

    private static String node(List<String> launcher) {
        return resource("openpbs/node.py")
                .replace("@VSE@", HookText.python(launcher))
                .replace("@POLICY@", POLICY.toString());
    }

    private FileChange change(Path path, String text, boolean program) {
        return new FileChange(path, host.text(path), Optional.of(text), program);
    }

    private static String resource(String name) {
        return HookText.resource(name);
    }
}
