package org.vse.job.step;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.policy.PlugIn;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.provisioner.guest.GuestControl;

/** Runs a job's plug-ins when its guests are set up: docs/plugins.md. */
final class PlugIns {
    /** Where the head finds the host file of MPI. */
    static final String HOST_FILE = "/run/vse/hostfile";

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int MOST_BYTES = 64 << 10;
    private static final int NOBODY = 65_534;
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,63}");
    private static final Set<PosixFilePermission> FOREIGN =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Node node;

    PlugIns(Node node) {
        this.node = node;
    }

    /** @throws VseException PLUG_IN_FAILED with what the plug-in said */
    void apply(Job job, Progress progress) {
        List<PlugIn> plugIns = job.record().additions().plugIns();
        Map<String, String> added = new TreeMap<>();
        for (PlugIn plugIn : plugIns) {
            boolean serves = plugIn.name().equals(PlugIn.NFS_SERVER);
            progress.waiting(
                    "plug-in " + plugIn.name(), node.clock().instant().plus(serves ? NfsServer.TIMEOUT : TIMEOUT));
            if (serves) {
                new NfsServer(node).serve(job, plugIn);
            } else {
                added.putAll(plugIn.program().isEmpty() ? hostFile(job, plugIn) : program(job.record(), plugIn));
            }
        }
        if (!plugIns.isEmpty()) {
            job.keepPlugIns(added);
        }
    }

    private Map<String, String> hostFile(Job job, PlugIn plugIn) {
        GuestControl guest = Guests.control(node, job, 0);
        GuestControl.GuestResult result = guest.exec(
                List.of("/bin/sh", "-c", "umask 022; cat > " + HOST_FILE),
                hostFile(job.record(), plugIn.argument()).getBytes(StandardCharsets.US_ASCII),
                TIMEOUT,
                MOST_BYTES);
        if (result.exitCode() != 0) {
            throw failed(plugIn).fact("exit code", result.exitCode()).fact("said", result.stderr());
        }
        return Map.of("VSE_HOSTFILE", HOST_FILE);
    }

    /**
     * One line for each machine, in the form of an MPI.
     *
     * @param form {@code openmpi} or nothing, {@code mpich}, {@code plain}
     * @throws VseException PLUG_IN_FAILED for another form
     */
    static String hostFile(JobRecord record, String form) {
        return record.machines().stream()
                .map(machine -> switch (form) {
                    case "", "openmpi" -> machine.name() + " slots=" + machine.vcpus() + "\n";
                    case "mpich" -> machine.name() + ":" + machine.vcpus() + "\n";
                    case "plain" -> (machine.name() + "\n").repeat(machine.vcpus());
                    default ->
                        throw VseException.of(ErrorCode.PLUG_IN_FAILED, "'" + form + "' is not a form of host files")
                                .fact("allowed", "openmpi, mpich, plain")
                                .next("write plug-ins=hostfile:openmpi");
                })
                .collect(Collectors.joining());
    }

    private Map<String, String> program(JobRecord record, PlugIn plugIn) {
        requireTheSites(plugIn);
        CommandResult result = node.commands()
                .run(new Command(argv(record, plugIn), Map.of(), null, told(record, plugIn), TIMEOUT, MOST_BYTES));
        if (result.exitCode() != 0) {
            throw failed(plugIn)
                    .fact("exit code", result.exitCode())
                    .fact("said", result.stderr().strip());
        }
        return read(plugIn, result.stdout());
    }

    /** A program that a user could exchange would run in the site's name. */
    private static void requireTheSites(PlugIn plugIn) {
        Path program = Path.of(plugIn.program());
        try {
            boolean foreign = Files.getPosixFilePermissions(program).stream().anyMatch(FOREIGN::contains);
            int owner = (Integer) Files.getAttribute(program, "unix:uid");
            if (foreign || (owner != 0 && owner != Standing.uid())) {
                throw failed(plugIn)
                        .fact("program", program)
                        .fact("reason", "others than root and vsed's user may write to it")
                        .next("chown root " + program + "; chmod go-w " + program);
            }
        } catch (java.io.IOException e) {
            throw failed(plugIn).fact("program", program).because(e);
        }
    }

    /** As the job's user; whoever has root's identity nowhere else gets nobody's here. */
    private static List<String> argv(JobRecord record, PlugIn plugIn) {
        if (Standing.of(Standing.uid()) == Standing.ORDINARY) {
            return List.of(plugIn.program());
        }
        int uid = record.user().uid() == 0 ? NOBODY : record.user().uid();
        int gid = record.user().uid() == 0 ? NOBODY : record.user().gid();
        return List.of(
                "setpriv",
                "--reuid=" + uid,
                "--regid=" + gid,
                "--clear-groups",
                "--no-new-privs",
                "--inh-caps=-all",
                "--bounding-set=-all",
                plugIn.program());
    }

    /** What a program reads on its standard input. */
    static String told(JobRecord record, PlugIn plugIn) {
        List<Map<String, Object>> machines = new ArrayList<>();
        for (JobRecord.Machine machine : record.machines()) {
            Map<String, Object> each = new LinkedHashMap<>();
            each.put("name", machine.name());
            each.put("address", record.networkPlan().address(machine.index()));
            each.put("role", machine.role());
            each.put("node", machine.node());
            each.put("vcpus", machine.vcpus());
            each.put("memoryBytes", machine.memoryBytes());
            machines.add(each);
        }
        Map<String, Object> job = new LinkedHashMap<>();
        job.put("version", 1);
        job.put("plugIn", plugIn.name());
        job.put("argument", plugIn.argument());
        job.put("job", record.id());
        job.put("attempt", record.attempt());
        job.put("user", record.user().name());
        job.put("uid", record.user().uid());
        job.put("image", record.image());
        job.put("digest", record.digest());
        job.put("directory", record.cwd());
        job.put("machines", machines);
        try {
            return JSON.writeValueAsString(job);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts and numbers is JSON", e);
        }
    }

    /**
     * What a program says: nothing, or {@code {"environment": {"NAME": "text"}}}.
     *
     * @throws VseException PLUG_IN_FAILED when it says anything else
     */
    static Map<String, String> read(PlugIn plugIn, String said) {
        if (said.isBlank()) {
            return Map.of();
        }
        try {
            JsonNode answer = JSON.readTree(said);
            Map<String, String> added = new TreeMap<>();
            boolean good = answer.isObject()
                    && answer.size() == 1
                    && answer.path("environment").isObject();
            answer.path("environment")
                    .properties()
                    .forEach(e -> added.put(e.getKey(), e.getValue().asText()));
            good = good && added.entrySet().stream().allMatch(PlugIns::isVariable);
            if (good) {
                return added;
            }
        } catch (JsonProcessingException e) {
            throw failed(plugIn).fact("reason", "it did not answer in JSON").because(e);
        }
        throw failed(plugIn)
                .fact("expected", "{\"environment\": {\"NAME\": \"text\"}}")
                .fact("found", said.substring(0, Math.min(said.length(), 200)));
    }

    private static boolean isVariable(Map.Entry<String, String> variable) {
        return NAME.matcher(variable.getKey()).matches() && variable.getValue().indexOf('\0') < 0;
    }

    private static VseException failed(PlugIn plugIn) {
        return VseException.of(ErrorCode.PLUG_IN_FAILED, "plug-in '" + plugIn.name() + "' failed");
    }
}
