package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.provisioner.guest.GuestSetup;
import org.vse.provisioner.guest.JobScript;
import org.vse.provisioner.guest.ScriptLaunch;

/** What is started in the first guest. */
final class LaunchPlan {
    private static final int UMASK = 022;
    private static final String PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

    /** Where the guest has programs that say what to use instead of a batch system's own. */
    private static final String STRANGERS = ":/run/vse/bin";

    /**
     * Open MPI 4 finds the job's machines in the node file and reaches them by ssh, whatever batch system it recognises by its
     * variables: that one's own launcher is not in the guest (mpirun(1), "MCA parameters").
     */
    private static final Map<String, String> OPEN_MPI = Map.of(
            "OMPI_MCA_orte_default_hostfile", GuestSetup.NODE_FILE,
            "OMPI_MCA_plm", "rsh",
            "OMPI_MCA_plm_rsh_agent", "ssh",
            "OMPI_MCA_ras", "^slurm,tm,gridengine,loadleveler,lsf");

    private LaunchPlan() {}

    /** A pure function of what was admitted. */
    static ScriptLaunch of(JobRecord record, Map<String, String> submitted, Optional<JobScript> script) {
        boolean root = record.additions().root();
        return new ScriptLaunch(
                script,
                record.arguments(),
                environment(record, submitted),
                record.cwd(),
                root ? 0 : record.user().uid(),
                root
                        ? List.of(0)
                        : record.user().groups().stream()
                                .map(JobRecord.Group::gid)
                                .toList(),
                UMASK,
                record.user().shell(),
                Optional.ofNullable(record.terminal())
                        .map(t -> new ScriptLaunch.Terminal(t.rows(), t.columns(), t.type())));
    }

    /** The submitted environment, with what describes the user and this job on top. */
    static Map<String, String> environment(JobRecord record, Map<String, String> submitted) {
        Map<String, String> environment = new TreeMap<>(submitted);
        environment.merge("PATH", PATH + STRANGERS, (own, unused) -> own + STRANGERS);
        environment.put("HOME", record.user().home());
        String user = record.additions().root() ? "root" : record.user().name();
        environment.put("USER", user);
        environment.put("LOGNAME", user);
        environment.put("SHELL", record.user().shell());
        environment.put("PWD", record.cwd());
        environment.put("VSE_JOB_ID", record.id());
        environment.put("VSE_IMAGE", record.image());
        environment.put("VSE_ROLE", record.machines().get(0).role());
        environment.put("VSE_ATTEMPT", Integer.toString(record.attempt()));
        environment.put("VSE_RESTORED", "0");
        environment.put("VSE_NODEFILE", GuestSetup.NODE_FILE);
        OPEN_MPI.forEach(environment::putIfAbsent);
        return environment;
    }

    /**
     * The script as it was admitted; empty for an interactive job.
     *
     * @throws VseException STORAGE_FAILED when its bytes are not those that were admitted
     */
    static Optional<JobScript> script(Job job) {
        String name = job.record().script();
        if (name == null) {
            return Optional.empty();
        }
        try {
            byte[] text = Files.readAllBytes(job.files().script());
            String found = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text));
            if (!found.equals(job.record().scriptSha256())) {
                throw VseException.of(ErrorCode.STORAGE_FAILED, "the kept script is not the one that was admitted")
                        .at(job.files().script().toString())
                        .fact("expected", String.valueOf(job.record().scriptSha256()))
                        .fact("found", found);
            }
            return Optional.of(new JobScript(name, text));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the kept script cannot be read")
                    .at(job.files().script().toString())
                    .because(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** One line for each virtual processor, as batch systems write host files. */
    static List<String> nodes(JobRecord record) {
        return record.machines().stream()
                .flatMap(machine ->
                        java.util.stream.Stream.generate(machine::name).limit(machine.vcpus()))
                .toList();
    }
}
