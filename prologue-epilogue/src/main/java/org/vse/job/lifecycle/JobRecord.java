package org.vse.job.lifecycle;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.vse.policy.Additions;
import org.vse.policy.Continuation;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.network.NetworkPlan;

/**
 * What was admitted: everything that the steps of a job attempt need, fixed before the first of them and written once.
 * Names of machines, devices and namespaces follow from {@link #tag}.
 *
 * @param scheduler batch system that the id belongs to, {@code local} for the embedded one
 * @param id the batch system's own job id, any text
 * @param attempt 1 for the first attempt
 * @param tag twelve hexadecimal digits, see {@link #tagOf}
 * @param script file name of the script as the user gave it; null for an interactive job
 * @param scriptSha256 digest of the script's bytes at admission; null for an interactive job
 * @param cwd the job's working directory, absolute
 * @param image name and tag of the image as asked for
 * @param digest of the image; what boots
 * @param sharesCores other jobs that agreed to it may have its cores, too
 * @param qemuUid host uid of the machines, no other job's
 * @param charged what its batch system counts the job as; null where nothing counts jobs
 * @param walltimeSeconds limit of the run; null for none. A batch system may count it from before the machines come up, and
 *     ends the job itself
 * @param added null for nothing, as in records of the time before there was anything
 * @param going how the job goes on after its walltime; null for not at all
 * @param resume what it goes on from; null when its machines boot
 */
public record JobRecord(
        String scheduler,
        String id,
        int attempt,
        String tag,
        User user,
        @Nullable String script,
        @Nullable String scriptSha256,
        List<String> arguments,
        String cwd,
        @Nullable Terminal terminal,
        String image,
        String digest,
        Share share,
        Network network,
        List<SharedPath> shared,
        List<Machine> machines,
        boolean sharesCores,
        int qemuUid,
        int qemuGid,
        @Nullable Charged charged,
        @Nullable Long walltimeSeconds,
        Instant submitted,
        @Nullable Additions added,
        @Nullable Continuation going,
        @Nullable Resume resume) {

    /** {@link #scheduler} of jobs that no batch system knows. */
    public static final String EMBEDDED = "local";

    public JobRecord {
        arguments = List.copyOf(arguments);
        shared = List.copyOf(shared);
        machines = List.copyOf(machines);
        if (machines.isEmpty()) {
            throw new IllegalArgumentException("a job has at least one machine");
        }
    }

    /**
     * Twelve hexadecimal digits for one attempt of one job of one daemon: 48 bits of SHA-256.
     *
     * @param owner the daemon's installation id
     */
    public static String tagOf(String owner, String scheduler, String id, int attempt) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            String text = owner + '\0' + scheduler + '\0' + id + '\0' + attempt;
            return HexFormat.of()
                    .formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)))
                    .substring(0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The same job with the arguments and the directory that its starter came with. */
    public JobRecord launchedWith(List<String> newArguments, String newCwd) {
        return with(newArguments, newCwd, machines, qemuUid, qemuGid);
    }

    /** Name of a machine's domain on this node. */
    public VmName vmName(int index) {
        return new VmName("vse-" + tag + "-" + index);
    }

    /** The machines of a node, in their order. */
    public List<Machine> machinesOn(String node) {
        return machines.stream().filter(machine -> machine.node().equals(node)).toList();
    }

    /** The nodes of the job, each once, the one whose daemon coordinates the others first. */
    @JsonIgnore
    public List<String> nodes() {
        return machines.stream().map(Machine::node).distinct().toList();
    }

    /** The node whose daemon coordinates the others: the first machine's, where the script runs. */
    @JsonIgnore
    public String coordinator() {
        return machines.get(0).node();
    }

    /**
     * The record of the same job on another of its nodes.
     *
     * @param newMachines all of the job's, with the cores that this node has given to its own
     */
    public JobRecord as(List<Machine> newMachines, int newQemuUid, int newQemuGid) {
        return with(arguments, cwd, newMachines, newQemuUid, newQemuGid);
    }

    /** The same job, whose machines go on from a set. */
    public JobRecord resuming(Resume from) {
        return with(arguments, cwd, machines, qemuUid, qemuGid, from);
    }

    private JobRecord with(
            List<String> newArguments, String newCwd, List<Machine> newMachines, int newQemuUid, int newQemuGid) {
        return with(newArguments, newCwd, newMachines, newQemuUid, newQemuGid, resume);
    }

    private JobRecord with(
            List<String> newArguments,
            String newCwd,
            List<Machine> newMachines,
            int newQemuUid,
            int newQemuGid,
            @Nullable Resume newResume) {
        return new JobRecord(
                scheduler,
                id,
                attempt,
                tag,
                user,
                script,
                scriptSha256,
                newArguments,
                newCwd,
                terminal,
                image,
                digest,
                share,
                network,
                shared,
                newMachines,
                sharesCores,
                newQemuUid,
                newQemuGid,
                charged,
                walltimeSeconds,
                submitted,
                added,
                going,
                newResume);
    }

    /** What its machines have beyond what every one has. */
    @JsonIgnore
    public Additions additions() {
        return added == null ? Additions.NONE : added;
    }

    /** How it goes on after its walltime. */
    @JsonIgnore
    public Continuation continuation() {
        return going == null ? Continuation.NONE : going;
    }

    /** Hardware address of a machine: a guest that goes on from its saved memory keeps the one that it booted with. */
    public String mac(int machine) {
        return new NetworkPlan(addresses()).mac(machine);
    }

    /** Tag of the attempt whose machines were booted. */
    @JsonIgnore
    public String addresses() {
        return resume == null ? tag : resume.addresses();
    }

    @JsonIgnore
    public NetworkPlan networkPlan() {
        return new NetworkPlan(tag);
    }

    @JsonIgnore
    public boolean isInteractive() {
        return terminal != null;
    }

    /**
     * Who the job runs as, on the host's files and in the guest.
     *
     * @param groups supplementary groups with their names
     */
    public record User(String name, int uid, int gid, List<Group> groups, String home, String shell) {
        public User {
            groups = List.copyOf(groups);
        }
    }

    /**
     * What a batch system counts a job as.
     *
     * @param queue queue or partition
     * @param account null when the job is charged to nothing
     * @param arrayIndex null unless the job is a member of an array
     */
    public record Charged(
            String queue,
            @Nullable String account,
            @Nullable Integer arrayIndex) {}

    /** A group of the host. */
    public record Group(String name, int gid) {}

    /**
     * A directory of the user that the job sees.
     *
     * @param source on the host, absolute
     * @param target in the guest, the path that the user knows
     */
    public record SharedPath(String source, String target) {}

    /**
     * The set that a job goes on from.
     *
     * @param set the job's name in the store
     * @param number of the set
     * @param addresses tag of the attempt whose machines were booted
     * @param accelerator what executed the guests' instructions: it must do so again
     */
    public record Resume(String set, int number, String addresses, Accelerator accelerator) {}

    /** The terminal of an interactive job. */
    public record Terminal(int rows, int columns, String type) {}

    /**
     * One machine of the job.
     *
     * @param name host name in the guest
     * @param node node that it runs on
     * @param cores host cores, one for each virtual processor
     * @param diskBytes size of its disk; null for the image's own
     */
    public record Machine(
            int index,
            String name,
            String node,
            List<Integer> cores,
            int vcpus,
            long memoryBytes,
            @Nullable Long diskBytes) {
        public Machine {
            cores = List.copyOf(cores);
        }

        /** What it is for the job: {@code head} for the first, else {@code worker}. */
        @JsonIgnore
        public String role() {
            return index == 0 ? "head" : "worker";
        }

        /** The same machine on those cores. */
        public Machine on(List<Integer> cores) {
            return new Machine(index, name, node, cores, vcpus, memoryBytes, diskBytes);
        }

        /** Size of the disk; empty for the image's own. */
        public OptionalLong disk() {
            return diskBytes == null ? OptionalLong.empty() : OptionalLong.of(diskBytes);
        }
    }
}
