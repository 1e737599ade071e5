package org.vse.job.daemon;

import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.job.Standing;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.step.Node;
import org.vse.policy.Additions;
import org.vse.policy.Allocation;
import org.vse.policy.Continuation;
import org.vse.policy.DirectiveKey;
import org.vse.policy.ImageReference;
import org.vse.policy.JobDescription;
import org.vse.policy.JobPlan;
import org.vse.policy.JobScript;
import org.vse.policy.NodeAllocation;
import org.vse.policy.PlannedVm;
import org.vse.policy.Planner;
import org.vse.policy.Share;
import org.vse.policy.layer.Applicant;
import org.vse.policy.layer.DescriptionFiles;
import org.vse.policy.layer.Judgement;
import org.vse.policy.layer.Layer;
import org.vse.policy.layer.Policy;
import org.vse.process.UserDirectory;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.PbsResources;
import org.vse.scheduler.ResourceRequest;
import org.vse.scheduler.SpooledText;
import org.vse.scheduler.local.CoreLease;
import org.vse.scheduler.local.LocalDemand;

/**
 * The {@code admit} step of the local scheduler: everything about a job that is settled before it gets cores. What is
 * refused here has started nothing.
 *
 * @param demand what the job has of this node
 * @param elsewhere what it has of other nodes, which come after this one
 * @param charged what a batch system counts the job as; null for the embedded one's
 * @param notices what the user should know about how the job was understood
 */
record Admission(
        Submission submission,
        JobRecord.User user,
        JobDescription description,
        ResourceRequest request,
        LocalDemand demand,
        List<JobFacts.NodeShare> elsewhere,
        Image image,
        Share share,
        List<JobRecord.SharedPath> shared,
        JobRecord.@Nullable Charged charged,
        List<String> notices) {

    /** The queue of the local scheduler. */
    static final String QUEUE = "local";

    /** Directories of the guest itself, over which nothing can be mounted. */
    private static final Set<String> GUEST_OWN = Set.of(
            "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "root", "run", "sbin", "sys", "usr",
            "var");

    /**
     * Checks a submission.
     *
     * @param user whom the job runs as; the caller was found entitled to that
     * @param policy what queue {@link #QUEUE} lets its jobs have
     * @param standing what the daemon may do
     * @throws VseException of kind USER for whatever is wrong with it
     */
    static Admission of(
            Submission submission, JobRecord.User user, Policy policy, ImageStore images, Standing standing) {
        JobScript script = script(submission);
        boolean ordinary = standing == Standing.ORDINARY;
        ResourceRequest request = PbsResources.read(script);
        Judgement judgement = judgement(QUEUE, submission, script, request, user, policy, submission::description);
        judgement.requireAllowed();
        JobDescription description = AddedParts.settled(
                ordinary ? OrdinaryJob.description(judgement.settings()) : judgement.description(), user, policy);
        if (ordinary) {
            OrdinaryJob.requireOneNode(request);
        }
        LocalDemand demand = LocalDemand.of(request, description);
        Image image = image(description, images);
        List<String> notices = new ArrayList<>();
        if (ordinary) {
            notices.add(OrdinaryJob.NOTICE);
        }
        script.late().stream()
                .limit(3)
                .forEach(at -> notices.add(at + ": this #VSE line comes after the first command and means nothing"));
        Share share = share(description, user, notices);
        return new Admission(
                submission,
                user,
                description,
                request,
                demand,
                List.of(),
                image,
                share,
                share == Share.NONE ? List.of() : shared(user, submission.cwd(), notices),
                null,
                notices);
    }

    /**
     * Checks a job that a batch system has given cores to: what it runs as, where and on what is the batch system's word.
     *
     * @param share what the job has of this node
     * @param descriptions reads the files that the script names, with the user's rights
     * @throws VseException of kind USER for whatever is wrong with the script, or with it and the allocation together
     */
    static Admission of(
            JobFacts facts,
            JobFacts.NodeShare share,
            JobRecord.User user,
            Policy policy,
            ImageStore images,
            DescriptionFiles.Source descriptions) {
        JobFacts.Script script = facts.script().orElseThrow(Admission::interactive);
        Submission submission = new Submission(
                new Submission.Script(script.name(), script.text()),
                List.of(),
                null,
                facts.workDirectory(),
                Map.of(),
                false,
                null,
                null,
                List.of());
        JobScript parsed = script(submission);
        ResourceRequest request = new ResourceRequest(
                1, OptionalInt.of(share.count()), ofOneNode(facts), facts.walltime(), Optional.empty(), Map.of());
        Judgement judgement = judgement(facts.queue(), submission, parsed, asked(facts), user, policy, descriptions);
        judgement.requireAllowed();
        JobDescription description = AddedParts.settled(judgement.description(), user, policy);
        LocalDemand demand = LocalDemand.of(request, description);
        Image image = image(description, images);
        List<String> notices = new ArrayList<>();
        Share shared = share(description, user, notices);
        return new Admission(
                submission,
                user,
                description,
                request,
                demand,
                facts.nodes().stream()
                        .filter(each -> !each.node().equals(share.node()))
                        .toList(),
                image,
                shared,
                shared == Share.NONE ? List.of() : shared(user, submission.cwd(), notices),
                new JobRecord.Charged(
                        facts.queue(),
                        facts.account().orElse(null),
                        facts.arrayIndex().isPresent() ? facts.arrayIndex().getAsInt() : null),
                notices);
    }

    private static Image image(JobDescription description, ImageStore images) {
        Image image = images.resolve(description.image().toString());
        List<String> words = description.additions().boot();
        if (image.diskBoot().isPresent() && !words.isEmpty()) {
            throw VseException.of(
                            ErrorCode.DIRECTIVE_CONFLICT,
                            "image '" + image.reference() + "' boots from its disk, whose kernel cannot be told 'boot="
                                    + String.join(" ", words) + "'")
                    .next("leave boot= out, or import the disk with a kernel: vse image import --help");
        }
        return image;
    }

    private static ResourceRequest asked(JobFacts facts) {
        return new ResourceRequest(
                facts.nodes().size(),
                OptionalInt.of(facts.nodes().stream()
                        .mapToInt(JobFacts.NodeShare::count)
                        .max()
                        .orElse(1)),
                facts.memoryBytes(),
                facts.walltime(),
                Optional.empty(),
                Map.of());
    }

    /** A batch system bounds the memory of the whole job; its nodes have equal parts of it. */
    private static OptionalLong ofOneNode(JobFacts facts) {
        return facts.memoryBytes().isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(
                        facts.memoryBytes().getAsLong() / facts.nodes().size());
    }

    private static VseException interactive() {
        return VseException.of(ErrorCode.USAGE, "an interactive job has no script that a machine could run")
                .next("submit a script with #VSE lines");
    }

    private static Judgement judgement(
            String queue,
            Submission submission,
            JobScript script,
            ResourceRequest request,
            JobRecord.User user,
            Policy policy,
            DescriptionFiles.Source source) {
        List<Layer> descriptions = policy.descriptions(queue, script, Path.of(submission.cwd()), source);
        List<String> groups = user.groups().stream().map(JobRecord.Group::name).toList();
        return policy.judge(
                queue,
                script,
                descriptions,
                new Applicant(user.name(), groups, request.nodes(), request.coresPerNode()));
    }

    /** @throws VseException NOT_PERMITTED when the job wants to share cores on a node that lets only one job have a core */
    void requireSharing(int sharers) {
        if (description.oversubscribe() && sharers == 1) {
            VseException refusal = VseException.of(
                            ErrorCode.NOT_PERMITTED, "oversubscribe=yes is not allowed on this node")
                    .next("leave oversubscribe out; an administrator allows it by 'oversubscribe' in vsed.yaml");
            SourcePosition position = description.provenance().get(DirectiveKey.OVERSUBSCRIBE);
            throw position == null ? refusal : refusal.at(position.toString());
        }
    }

    /**
     * Which attempt of which job.
     *
     * @param scheduler batch system that the id belongs to
     */
    record Identity(String scheduler, String id, int attempt) {
        static Identity local(String id) {
            return new Identity(JobRecord.EMBEDDED, id, 1);
        }

        String tag(String owner) {
            return JobRecord.tagOf(owner, scheduler, id, attempt);
        }
    }

    /** Fixes the plan on the cores that the job was given. */
    JobRecord record(String owner, String node, Identity job, CoreLease lease, int poolUid, int qemuGid, Instant now) {
        JobPlan plan = Planner.plan(description, description.image(), image.digest(), allocation(node, lease));
        boolean asUser = share == Share.P9;
        Submission.Script script = submission.script();
        return new JobRecord(
                job.scheduler(),
                job.id(),
                job.attempt(),
                job.tag(owner),
                user,
                script == null ? null : script.name(),
                script == null ? null : sha256(script.text()),
                submission.args(),
                submission.cwd(),
                terminal(submission),
                image.reference(),
                image.digest(),
                share,
                plan.network(),
                shared,
                plan.vms().stream().map(this::machine).toList(),
                lease.shared(),
                asUser ? user.uid() : poolUid,
                asUser ? user.gid() : qemuGid,
                charged,
                request.walltime().map(Duration::toSeconds).orElse(null),
                now,
                description.additions().equals(Additions.NONE) ? null : description.additions(),
                description.continuation().equals(Continuation.NONE) ? null : description.continuation(),
                null);
    }

    /** Memory that the job holds while it has its cores, bytes. */
    long memory(Node.Limits limits) {
        return limits.memory(
                (long) demand.groups() * description.vmsPerNode(), description.mostMemoryBytes(), share == Share.NFS);
    }

    /** The environment of the script before this software's own variables. */
    Map<String, String> environment() {
        return submission.environment();
    }

    private static JobRecord.@Nullable Terminal terminal(Submission submission) {
        if (!submission.interactive()) {
            return null;
        }
        JobRecord.Terminal terminal = submission.terminal();
        return terminal == null ? new JobRecord.Terminal(24, 80, "dumb") : terminal;
    }

    private static JobScript script(Submission submission) {
        Submission.Script script = submission.script();
        if (script != null) {
            return JobScript.parse(script.name(), script.text());
        }
        ImageReference image = ImageReference.parse(String.valueOf(submission.image()));
        return JobScript.parse("--interactive", "#VSE image=" + image + "\n");
    }

    private static Share share(JobDescription description, JobRecord.User user, List<String> notices) {
        if (user.uid() != 0 || description.share() == Share.NONE) {
            return description.share();
        }
        DirectiveKey asked =
                description.provenance().containsKey(DirectiveKey.MOUNTS) ? DirectiveKey.MOUNTS : DirectiveKey.SHARE;
        if (description.provenance().containsKey(asked)) {
            throw VseException.of(ErrorCode.SHARE_ROOT, "root's directories are never shared with a guest")
                    .at(String.valueOf(description.provenance().get(asked)))
                    .fact("reason", "whoever is root in the guest would be root on this host's files")
                    .next("run the job as its user (--user NAME), or write share=none");
        }
        notices.add("running as root: no directory is shared with the guest; --user NAME shares that user's home");
        return Share.NONE;
    }

    private static List<JobRecord.SharedPath> shared(JobRecord.User user, String cwd, List<String> notices) {
        List<JobRecord.SharedPath> shared = new ArrayList<>();
        Path home = Path.of(user.home()).normalize();
        if (isReachable(home, user)) {
            shared.add(new JobRecord.SharedPath(home.toString(), home.toString()));
        } else {
            notices.add("home directory '" + home + "' cannot be entered by " + user.name() + ": it is not shared");
        }
        Path directory = Path.of(cwd).normalize();
        if (shared.isEmpty() || !directory.startsWith(home)) {
            requireMountable(directory);
            UserDirectory.open(directory, user.uid(), user.gid(), gids(user)).close();
            shared.add(new JobRecord.SharedPath(directory.toString(), directory.toString()));
        }
        return shared;
    }

    private static boolean isReachable(Path home, JobRecord.User user) {
        if (isGuestsOwn(home)) {
            return false;
        }
        try (UserDirectory opened = UserDirectory.open(home, user.uid(), user.gid(), gids(user))) {
            return opened.path().isAbsolute();
        } catch (VseException e) {
            return false;
        }
    }

    /** Whether a guest has a directory of its own there, or above all of them. */
    static boolean isGuestsOwn(Path directory) {
        return directory.getNameCount() == 0
                || GUEST_OWN.contains(directory.getName(0).toString());
    }

    static void requireMountable(Path directory) {
        if (isGuestsOwn(directory)) {
            throw VseException.of(ErrorCode.SHARE_UNSUPPORTED, "working directory '" + directory + "' cannot be shared")
                    .fact("reason", "the guest has a directory of its own there")
                    .next("run the job from another directory, or with #VSE share=none");
        }
    }

    private static List<Integer> gids(JobRecord.User user) {
        return user.groups().stream().map(JobRecord.Group::gid).toList();
    }

    private Allocation allocation(String node, CoreLease lease) {
        List<NodeAllocation> nodes =
                new ArrayList<>(demand.allocation(node, lease).nodes());
        for (JobFacts.NodeShare each : elsewhere) {
            nodes.add(new NodeAllocation(
                    each.node(),
                    each.cores().isEmpty()
                            ? IntStream.range(0, each.count()).boxed().toList()
                            : each.cores()));
        }
        return new Allocation(nodes);
    }

    /** Where the batch system only counts, another node chooses the cores itself. */
    private List<Integer> cores(PlannedVm vm) {
        return elsewhere.stream()
                        .anyMatch(each ->
                                each.node().equals(vm.node()) && each.cores().isEmpty())
                ? List.of()
                : vm.cores();
    }

    private JobRecord.Machine machine(PlannedVm vm) {
        return new JobRecord.Machine(
                vm.index(),
                vm.name(),
                vm.node(),
                cores(vm),
                vm.vcpus(),
                vm.memoryBytes(),
                vm.diskBytes().isPresent() ? vm.diskBytes().getAsLong() : null);
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(SpooledText.encode(text)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
