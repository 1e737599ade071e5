package org.vse.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What a job may say about its VMs. {@code docs/directives.md} is the users' account of it; a test compares the two. */
public enum DirectiveKey {
    /** The image that the VMs boot. */
    IMAGE("image", new Grammar.Image(), "none, must be given"),
    /** Virtual processors of each VM. */
    VCPUS("vcpus", new Grammar.Count(1, 1024), "the node's allocated cores / vms-per-node"),
    /** Memory of each VM. */
    MEMORY("memory", new Grammar.Size(64 * ByteSize.MIB, 16 * ByteSize.TIB, ByteSize.MIB), Defaults.MEMORY),
    /** Size of each VM's disk. */
    DISK("disk", new Grammar.Size(64 * ByteSize.MIB, 64 * ByteSize.TIB, ByteSize.KIB), "the size of the image"),
    /** VMs on each node of the job. */
    VMS_PER_NODE("vms-per-node", new Grammar.Count(1, 256), Defaults.VMS_PER_NODE),
    /** How the user's directories reach the VMs. */
    SHARE(
            "share",
            new Grammar.Choice(Arrays.stream(Share.values()).map(Share::word).toList()),
            Defaults.share(Network.JOB).word() + ", with network=user "
                    + Defaults.share(Network.USER).word()),
    /** Which network the VMs have. */
    NETWORK(
            "network",
            new Grammar.Choice(
                    Arrays.stream(Network.values()).map(Network::word).toList()),
            Defaults.NETWORK),
    /** Whether the job agrees to share its cores with other jobs that do. */
    OVERSUBSCRIBE("oversubscribe", new Grammar.Choice(List.of("no", "yes")), Defaults.OVERSUBSCRIBE),
    /** A file that says more about the VMs. */
    VSE("vse", new Grammar.DescriptionFile(), "none"),
    /** Virtual processors of the head. */
    HEAD_VCPUS("head-vcpus", new Grammar.Count(1, 1024), "vcpus"),
    /** Memory of the head. */
    HEAD_MEMORY("head-memory", new Grammar.Size(64 * ByteSize.MIB, 16 * ByteSize.TIB, ByteSize.MIB), "memory"),
    /** Services that run in every VM. */
    SERVICES("services", new Grammar.Words("[A-Za-z0-9][A-Za-z0-9@._-]{0,63}", "name of a service"), "none"),
    /** Services that run in the head. */
    HEAD_SERVICES(
            "head-services", new Grammar.Words("[A-Za-z0-9][A-Za-z0-9@._-]{0,63}", "name of a service"), "services"),
    /** Directories of the node beside the user's own. */
    MOUNTS("mounts", new Grammar.Words(HostMount.FORM, HostMount.RANGE), "none"),
    /** Further options for the kernel. */
    BOOT(
            "boot",
            new Grammar.Words("[A-Za-z0-9_][A-Za-z0-9_.-]*(=[A-Za-z0-9_.:/@+-]*)?", "option of the kernel"),
            "none"),
    /** Seconds from the start of a VM until its guest answers. */
    BOOT_TIMEOUT("boot-timeout", new Grammar.Count(1, 3600), "boot-timeout of the node"),
    /** What prepares the VMs further. */
    PLUG_INS("plug-ins", new Grammar.Words(PlugIn.FORM, PlugIn.RANGE), "none"),
    /** PCI devices of the node for the first VM on it. */
    HOSTDEV(
            "hostdev",
            new Grammar.Words("[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f][.][0-7]", "PCI address such as 0000:3b:00.0"),
            "none"),
    /** Whether the script runs as root of its VM. */
    ROOT("root", new Grammar.Choice(List.of("no", "yes")), Defaults.ROOT),
    /** What happens when the walltime is nearly over. */
    ON_WALLTIME(
            "on-walltime",
            new Grammar.Choice(
                    Arrays.stream(OnWalltime.values()).map(OnWalltime::word).toList()),
            Defaults.ON_WALLTIME.word()),
    /** How often the VMs are saved while the job runs. */
    CHECKPOINT_EVERY("checkpoint-every", new Grammar.Word("[1-9][0-9]{0,3}[mh]", "time such as 30m or 2h"), "never"),
    /** The job whose saved VMs this one goes on with. */
    RESUME("resume", new Grammar.Word("[A-Za-z0-9][A-Za-z0-9._+\\[\\]-]{0,127}", "id of a job"), "none"),
    /** Packages that the image does not have, or shall not have. */
    PACKAGES(
            "packages",
            new Grammar.Words("-?[a-z0-9][a-z0-9+.-]{1,63}", "name of a package, after - to remove it"),
            "none"),
    /** Changes to the image's files. */
    FILES("files", new Grammar.Words(FileChange.FORM, FileChange.RANGE), "none"),
    /** Commands that change the image. */
    RUN("run", new Grammar.Commands(1024), "none"),
    /** Seconds that making the difference may take. */
    BUILD_TIMEOUT("build-timeout", new Grammar.Count(1, 86_400), Integer.toString(Difference.SECONDS)),
    /** What the difference may add. */
    BUILD_SIZE(
            "build-size",
            new Grammar.Size(ByteSize.MIB, 16 * ByteSize.TIB, ByteSize.KIB),
            ByteSize.format(Difference.BYTES));

    private final String word;

    @SuppressWarnings("ImmutableEnumChecker") // all variants are records of immutable values
    private final Grammar grammar;

    private final String standard;

    DirectiveKey(String word, Grammar grammar, String standard) {
        this.word = word;
        this.grammar = grammar;
        this.standard = standard;
    }

    /** As written in a directive. */
    public String word() {
        return word;
    }

    /** The allowed values in words. */
    public String range() {
        return grammar.range();
    }

    /** What holds when the key is given nowhere, in words. */
    public String standard() {
        return standard;
    }

    /** What its values may be. */
    public Grammar grammar() {
        return grammar;
    }

    /** The value that holds when the key is given nowhere; empty where that depends on the job. */
    public Optional<String> fallback() {
        return switch (this) {
            case MEMORY, VMS_PER_NODE, NETWORK, OVERSUBSCRIBE, ROOT, ON_WALLTIME -> Optional.of(standard);
            default -> Optional.empty();
        };
    }

    /** The key with that word, exactly. */
    public static Optional<DirectiveKey> of(String word) {
        return Arrays.stream(values()).filter(k -> k.word.equals(word)).findFirst();
    }

    /** All words, in the order of this enum. */
    public static List<String> words() {
        return Arrays.stream(values()).map(DirectiveKey::word).toList();
    }

    @Override
    public String toString() {
        return word;
    }
}
