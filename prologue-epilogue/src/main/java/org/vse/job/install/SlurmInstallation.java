package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.doctor.Doctor;

/**
 * The hooks of Slurm: Prolog, Epilog and starter on nodes, job_submit.lua on the head, and {@code slurm.conf}, which is the
 * same everywhere. Programs and a job_submit.lua of the site's are called by ours.
 */
public final class SlurmInstallation implements Installation {
    static final Path HOOKS = Path.of("/etc/vse/slurm");
    private static final Path CONFIGURATION = Path.of("/etc/slurm");
    static final Path POLICY = Path.of("/etc/vse/policy.gate");
    static final Path CONF = CONFIGURATION.resolve("slurm.conf");
    static final Path GATE = CONFIGURATION.resolve("job_submit.lua");
    private static final Path SITES_GATE = CONFIGURATION.resolve("job_submit.site.lua");
    static final List<String> FLAGS = List.of("Alloc", "DeferBatch");
    private static final Pattern PROGRAMS = Pattern.compile("[A-Za-z0-9_./*?\\[\\]-]*");

    private final InstallPlan.Host host;

    public SlurmInstallation(InstallPlan.Host host) {
        this.host = host;
    }

    @Override
    public InstallPlan install(List<Role> roles, List<String> launcher) {
        KeyedText conf = conf();
        List<FileChange> changes = new ArrayList<>();
        if (roles.contains(Role.NODE)) {
            changes.add(hook("prolog", launcher, conf.value("Prolog")));
            changes.add(hook("epilog", launcher, conf.value("Epilog")));
            changes.add(hook("starter", launcher, ""));
        }
        if (roles.contains(Role.HEAD)) {
            Optional<String> gate = host.text(GATE);
            Optional<String> sites = gate.filter(text -> !HookText.isOurs(text)).or(() -> host.text(SITES_GATE));
            changes.add(new FileChange(SITES_GATE, host.text(SITES_GATE), sites, false));
            String ours = resource("job_submit.lua")
                    .replace("@STARTER@", HOOKS.resolve("starter").toString())
                    .replace("@POLICY@", POLICY.toString())
                    .replace("@SITE@", sites.isPresent() ? SITES_GATE.toString() : "");
            changes.add(new FileChange(GATE, gate, Optional.of(ours), false));
        }
        if (roles.contains(Role.NODE) || roles.contains(Role.HEAD)) {
            changes.add(new FileChange(CONF, host.text(CONF), Optional.of(conf.set(lines(conf))), false));
        }
        return new InstallPlan(changes, afterwards(roles));
    }

    @Override
    public InstallPlan uninstall() {
        List<FileChange> changes = new ArrayList<>();
        host.text(CONF)
                .ifPresent(text -> changes.add(new FileChange(
                        CONF, Optional.of(text), Optional.of(read(text).own()), false)));
        host.text(GATE).filter(HookText::isOurs).ifPresent(text -> {
            changes.add(new FileChange(GATE, Optional.of(text), host.text(SITES_GATE), false));
            changes.add(new FileChange(SITES_GATE, host.text(SITES_GATE), Optional.empty(), false));
        });
        // A slurmd that still names a Prolog which is gone drains its node with the next job.
        boolean named = changes.stream().anyMatch(change -> change.path().equals(CONF) && !change.isNothing());
        List<String> afterwards = new ArrayList<>(List.of("systemctl restart slurmctld", "systemctl restart slurmd"));
        boolean any = false;
        for (String name : List.of("prolog", "epilog", "starter")) {
            Path path = HOOKS.resolve(name);
            any |= host.text(path).isPresent();
            if (!named) {
                changes.add(new FileChange(path, host.text(path), Optional.empty(), true));
            }
        }
        if (named && any) {
            afterwards.add("vse install --scheduler slurm --uninstall   once more, which removes the hooks themselves");
        }
        return new InstallPlan(changes, afterwards);
    }

    @Override
    public List<Doctor.Line> examine(List<Role> roles) {
        return new SlurmDiagnosis(host).examine(roles);
    }

    private KeyedText conf() {
        return host.text(CONF)
                .map(SlurmInstallation::read)
                .orElseThrow(() -> VseException.of(ErrorCode.CONFIG_INVALID, "there is no slurm.conf on this host")
                        .at(CONF.toString())
                        .next("install and configure Slurm first, or give --root"));
    }

    private static KeyedText read(String text) {
        return KeyedText.of(CONF.toString(), KeyedText.Form.EQUALS, text);
    }

    private static Map<String, String> lines(KeyedText conf) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("Prolog", HOOKS.resolve("prolog").toString());
        lines.put("Epilog", HOOKS.resolve("epilog").toString());
        lines.put("PrologFlags", conf.with("PrologFlags", FLAGS));
        lines.put("RequeueExit", conf.with("RequeueExit", List.of("85")));
        lines.put("JobSubmitPlugins", conf.with("JobSubmitPlugins", List.of("lua")));
        return lines;
    }

    private static List<String> afterwards(List<Role> roles) {
        List<String> commands = new ArrayList<>();
        if (roles.contains(Role.HEAD)) {
            commands.add("systemctl restart slurmctld");
        }
        if (roles.contains(Role.NODE)) {
            commands.add("systemctl restart slurmd");
        }
        return commands;
    }

    private FileChange hook(String name, List<String> launcher, String site) {
        if (!PROGRAMS.matcher(site).matches()) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the site's " + name + " cannot be called by ours")
                    .at(CONF.toString())
                    .fact("found", "'" + site + "'")
                    .fact("allowed", "a path, perhaps with *, ? and [ ]")
                    .next("give the program a plain name");
        }
        Path path = HOOKS.resolve(name);
        String text = resource(name).replace("@VSE@", HookText.quoted(launcher)).replace("@SITE@", site);
        return new FileChange(path, host.text(path), Optional.of(text), true);
    }

    private static String resource(String name) {
        return HookText.resource("slurm/" + name);
    }
}
