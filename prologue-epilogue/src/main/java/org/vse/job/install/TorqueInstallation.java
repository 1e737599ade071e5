package org.vse.job.install;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.doctor.Doctor;
import org.vse.scheduler.pbs.PbsForms;

/**
 * The hooks of TORQUE: prologue, epilogue and job starter of a node's pbs_mom, and the filter through which qsub passes scripts
 * where users submit. Programs of the site's are called by ours.
 */
public final class TorqueInstallation implements Installation {
    static final Path HOOKS = Path.of("/etc/vse/torque");
    static final Path POLICY = Path.of("/etc/vse/policy.gate");
    static final String STARTER = "$job_starter";
    static final String ALARM = "$prologalarm";
    static final String FILTER = "SUBMITFILTER";

    /** What a prologue may take, in seconds: longer than 'vse hook prologue' waits. */
    static final int PATIENCE = 1260;

    private static final Path OLD_FILTER = Path.of("/usr/local/sbin/torque_submitfilter");
    private static final List<String> PELOGS = List.of("prologue", "epilogue");
    private static final List<String> HOMES = List.of("/var/spool/torque", "/var/lib/torque", "/var/torque");
    private static final String CREATED = "# the file is of 'vse install'; a host had none\n";
    private static final String PATH = "/[A-Za-z0-9_./-]*";

    private final InstallPlan.Host host;

    public TorqueInstallation(InstallPlan.Host host) {
        this.host = host;
    }

    /** TORQUE's own directory on a host: that of the environment's {@code TORQUE_HOME}, else where packages put it. */
    static Optional<Path> home(InstallPlan.Host host) {
        String given = System.getenv().getOrDefault("TORQUE_HOME", "");
        return Stream.concat(Stream.of(given).filter(path -> path.matches(PATH)), HOMES.stream())
                .map(Path::of)
                .filter(home -> Files.isRegularFile(host.at(home.resolve("server_name")))
                        || Files.isDirectory(host.at(home.resolve("mom_priv"))))
                .findFirst();
    }

    static KeyedText read(Path file, Optional<String> text) {
        return KeyedText.of(file.toString(), KeyedText.Form.BLANK, text.orElse(CREATED));
    }

    @Override
    public InstallPlan install(List<Role> roles, List<String> launcher) {
        Path home = home(host)
                .orElseThrow(() -> VseException.of(ErrorCode.CONFIG_INVALID, "there is no TORQUE on this host")
                        .fact("looked for", String.join(", ", HOMES))
                        .next("install and configure TORQUE first, or give --root or TORQUE_HOME"));
        List<FileChange> changes = new ArrayList<>();
        List<String> afterwards = new ArrayList<>();
        if (roles.contains(Role.NODE)) {
            node(home.resolve("mom_priv"), launcher, changes);
            afterwards.add("momctl -s && pbs_mom    on the node, when no job runs there");
        }
        if (roles.contains(Role.SUBMIT)) {
            Path cfg = home.resolve("torque.cfg");
            KeyedText text = read(cfg, host.text(cfg));
            Path filter = HOOKS.resolve("filter");
            String site = plain(cfg, FILTER, text.value(FILTER));
            // Where torque.cfg names none, qsub looks for this one.
            if (site.isEmpty() && Files.exists(host.at(OLD_FILTER))) {
                site = OLD_FILTER.toString();
            }
            changes.add(change(filter, filter(site), true));
            changes.add(change(cfg, text.set(Map.of(FILTER, filter.toString())), false));
        }
        if (roles.contains(Role.HEAD)) {
            afterwards.add(
                    "qmgr -c 'set server down_on_error = False'    so that a failed prologue takes no node down");
            afterwards.add("qmgr -c 'set server automatic_requeue_exit_code = " + PbsForms.SAVED
                    + "'    so that a job whose VMs were saved starts again");
        }
        return new InstallPlan(changes, afterwards);
    }

    private void node(Path priv, List<String> launcher, List<FileChange> changes) {
        Path config = priv.resolve("config");
        KeyedText text = read(config, host.text(config));
        String vse = HookText.quoted(launcher);
        for (String name : PELOGS) {
            Path path = priv.resolve(name);
            Optional<String> there = host.text(path);
            Path kept = kept(path);
            Optional<String> sites = there.filter(own -> !HookText.isOurs(own)).or(() -> host.text(kept));
            changes.add(new FileChange(kept, host.text(kept), sites, true));
            String ours = HookText.resource("torque/" + name)
                    .replace("@VSE@", vse)
                    .replace("@POLICY@", POLICY.toString())
                    .replace("@SITE@", sites.isPresent() ? kept.toString() : "");
            changes.add(new FileChange(path, there, Optional.of(ours), true));
        }
        String starter = plain(config, STARTER, text.value(STARTER));
        changes.add(change(
                HOOKS.resolve("starter"),
                HookText.resource("torque/starter").replace("@VSE@", vse).replace("@SITE@", starter),
                true));
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put(STARTER, HOOKS.resolve("starter").toString());
        if (seconds(text.value(ALARM)) < PATIENCE) {
            lines.put(ALARM, Integer.toString(PATIENCE));
        }
        changes.add(change(config, text.set(lines), false));
    }

    static long seconds(String value) {
        return value.matches("[0-9]{1,9}") ? Long.parseLong(value) : 0;
    }

    private static String filter(String site) {
        return "#!/usr/bin/python3 -I\n# TORQUE's submit filter, by 'vse install'.\n"
                + HookText.resource("pbs/gate.py").replace("@POLICY@", POLICY.toString())
                + HookText.resource("torque/filter.py")
                        .replace("@SITE@", HookText.python(site.isEmpty() ? List.of() : List.of(site)));
    }

    @Override
    public InstallPlan uninstall() {
        List<FileChange> changes = new ArrayList<>();
        home(host).ifPresent(home -> {
            for (Path file : List.of(home.resolve("mom_priv/config"), home.resolve("torque.cfg"))) {
                host.text(file).ifPresent(text -> {
                    String own = read(file, Optional.of(text)).own();
                    Optional<String> left = Optional.of(own).filter(rest -> !rest.equals(CREATED));
                    changes.add(new FileChange(file, Optional.of(text), left, false));
                });
            }
            for (String name : PELOGS) {
                Path path = home.resolve("mom_priv").resolve(name);
                Path kept = kept(path);
                host.text(path).filter(HookText::isOurs).ifPresent(text -> {
                    changes.add(new FileChange(path, Optional.of(text), host.text(kept), true));
                    changes.add(new FileChange(kept, host.text(kept), Optional.empty(), true));
                });
            }
        });
        for (String name : List.of("starter", "filter")) {
            Path path = HOOKS.resolve(name);
            changes.add(new FileChange(path, host.text(path), Optional.empty(), true));
        }
        return new InstallPlan(changes, List.of("momctl -s && pbs_mom    on a node, when no job runs there"));
    }

    @Override
    public List<Doctor.Line> examine(List<Role> roles) {
        return new TorqueDiagnosis(host).examine(roles);
    }

    /** Where the site's own program is while ours has its place. */
    private static Path kept(Path path) {
        return path.resolveSibling(path.getFileName() + ".site");
    }

    private static String plain(Path file, String key, String site) {
        if (!site.isEmpty() && !site.matches(PATH)) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the site's program cannot be called by ours")
                    .at(file.toString())
                    .fact(key, "'" + site + "'")
                    .fact("allowed", "a path without arguments")
                    .next("give the program a plain name");
        }
        return site;
    }

    private FileChange change(Path path, String text, boolean program) {
        return new FileChange(path, host.text(path), Optional.of(text), program);
    }
}
