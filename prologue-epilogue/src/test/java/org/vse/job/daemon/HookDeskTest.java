package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Outcome;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.SavedAs;
import org.vse.job.lifecycle.Step;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;
import org.vse.provisioner.guest.GuestSetup;
import org.vse.scheduler.BatchSystem;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;
import org.vse.scheduler.Source;

/** Jobs of a Slurm that says what a test wants; their machines are steps that say that they are there. */
@Timeout(30)
class HookDeskTest {
    private static final String SCRIPT = "#!/bin/bash\n#VSE image=test share=none network=user\nhostname\n";
    private static final BatchSystem SLURM = BatchSystem.SLURM;

    @TempDir
    Path dir;

    private TestNode node;
    private LocalDesk local;
    private HookDesk desk;
    private final JobTable table = new JobTable();
    private final List<String> done = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch scriptEnds = new CountDownLatch(1);
    private String script = SCRIPT;
    private int attempt = 1;
    private boolean saves;
    private String cores = "1";
    private String nodes = "here";

    /** Machines that come up and go without being anywhere. */
    private final class Machines implements Step {
        @Override
        public String name() {
            return "machines";
        }

        @Override
        public void apply(Job job, Progress progress) {
            done.add("up " + job.record().id() + "." + job.record().attempt());
            for (JobState state : List.of(JobState.STAGED, JobState.CREATED, JobState.READY)) {
                job.journal().enter(state);
            }
        }

        @Override
        public void undo(Job job) {
            done.add("down " + job.record().id() + "." + job.record().attempt());
        }
    }

    /** A script that runs from the starter's coming until a test lets it end. */
    private final class Script implements Step {
        @Override
        public String name() {
            return "script";
        }

        @Override
        public void apply(Job job, Progress progress) {
            try {
                job.starter().await();
                job.journal().enter(JobState.RUNNING);
                done.add("script " + job.launched().arguments() + " "
                        + job.environment().get("SLURM_JOB_NODELIST"));
                scriptEnds.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted").because(e);
            }
            if (saves) {
                job.pauses().stopAs(new SavedAs("set", 1, Instant.EPOCH, Duration.ZERO, 0, 0, 0));
            } else {
                job.end(new Outcome(0, null, Instant.EPOCH, 0, 0, false));
            }
        }

        @Override
        public void undo(Job job) {}
    }

    @BeforeEach
    void start() throws IOException {
        node = new TestNode(dir, new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), FakeGuest.silent()));
        node.publish("disk".getBytes(StandardCharsets.UTF_8), Set.of());
        local = new LocalDesk(
                node.node(),
                node.config(List.of(0, 1), 10),
                node.json(),
                table,
                whenOver -> new JobRunner(
                        node.node(), record -> new JobLifecycle(List.of(new Machines(), new Script())), whenOver),
                List.of());
        Path policy = dir.resolve("policy.yaml");
        Files.writeString(policy, "queues:\n  batch: { images: { allow: [\"*\"] } }\n");
        desk = desk(policy, Duration.ZERO);
    }

    private HookDesk desk(Path policy, Duration freeing) {
        return new HookDesk(
                node.node(),
                table,
                local,
                new CurrentPolicy(new PolicyOnDisk(policy, true)),
                new HostUsers(new CommandRunner()),
                this::said,
                freeing);
    }

    @AfterEach
    void stop() throws InterruptedException {
        scriptEnds.countDown();
        local.active().forEach(local::cancel);
        local.runner().awaitIdle();
        node.close();
    }

    private String said(Source source) {
        if (source instanceof Source.File || ((Source.Answer) source).argv().contains("batch_script")) {
            return script;
        }
        return switch (((Source.Answer) source).argv().get(0)) {
            case "id" -> "0\n";
            case "qstat" -> "Job Id: 17.head\n    exec_host = here/0-1\n    start_count = " + attempt + "\n\n";
            default ->
                "JobId=17 JobName=x\n   UserId=root(0) GroupId=root(0) MCS_label=N/A\n   Account=(null) QOS=(null)\n"
                        + "   Requeue=1 Restarts=" + (attempt - 1)
                        + " BatchFlag=1\n   RunTime=00:00:00 TimeLimit=00:05:00\n"
                        + "   Partition=batch AllocNode:Sid=x:1\n   NodeList=" + nodes + "\n     Nodes=" + nodes
                        + " CPU_IDs=" + cores
                        + " Mem=0 GRES=\n   Command=/home/x/job.sh\n   WorkDir=/tmp\n";
        };
    }

    private HookCall hook(HookPoint point, int restarts) {
        return new HookCall(
                point,
                point == HookPoint.STARTER ? List.of("/spool/script", "a", "b c") : List.of(),
                Map.of(
                        "SLURM_JOB_ID", "17",
                        "SLURM_JOB_UID", "0",
                        "SLURM_JOB_NODELIST", "here",
                        "SLURM_RESTART_COUNT", Integer.toString(restarts),
                        "SLURM_JOB_RESTART_COUNT", Integer.toString(restarts)),
                "");
    }

    private Job prologue() {
        return desk.prologue(SLURM, hook(HookPoint.PROLOGUE, attempt - 1)).orElseThrow();
    }

    private Job starter(int uid, String spooled) throws Exception {
        return starter(SLURM, hook(HookPoint.STARTER, attempt - 1), uid, spooled);
    }

    private Job starter(BatchSystem system, HookCall call, int uid, String spooled) throws Exception {
        Submission launch = new Submission(
                new Submission.Script("script", ""),
                List.of("a", "b c"),
                null,
                "/tmp",
                call.environment(),
                false,
                null,
                new JobRecord.Terminal(24, 80, "dumb"),
                List.of());
        String sha256 = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(spooled.getBytes(StandardCharsets.UTF_8)));
        return desk.starter(system, call, uid, launch, sha256);
    }

    private boolean epilogue(int restarts) {
        return desk.epilogue(SLURM, hook(HookPoint.EPILOGUE, restarts)).whole();
    }

    private static ErrorCode refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        VseException failure = catchThrowableOfType(VseException.class, call);
        assertThat(failure).isNotNull();
        return failure.code();
    }

    @Test
    void aJobRunsFromPrologueToEpilogue() throws Exception {
        Job job = prologue();
        assertThat(job.state()).isEqualTo(JobState.READY);
        assertThat(job.record().scheduler()).isEqualTo("slurm");
        assertThat(job.record().machines().get(0).cores()).containsExactly(1);
        starter(0, SCRIPT);
        scriptEnds.countDown();
        while (job.feed().first("ended").isEmpty()) {
            job.feed().from(Integer.MAX_VALUE, 100);
        }
        assertThat(epilogue(0)).isTrue();
        assertThat(job.state()).isEqualTo(JobState.SETTLED);
        assertThat(done).containsExactly("up 17.1", "script [a, b c] vm0", "down 17.1");
        assertThat(local.leases()).isEmpty();
        assertThat(epilogue(0)).isTrue();
    }

    @Test
    void aPrologueThatIsRepeatedAnswersTheSameAndDoesNothingTwice() {
        assertThat(prologue()).isSameAs(prologue());
        assertThat(done).containsExactly("up 17.1");
    }

    @Test
    void aRefusalIsRepeatedAndTheStarterTellsItToTheUser() {
        script = "#!/bin/bash\n#VSE image=nonesuch share=none network=user\n";
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(refused(() -> starter(0, script))).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(local.leases()).isEmpty();
        assertThat(epilogue(0)).isTrue();
        assertThat(refused(() -> starter(0, script))).isEqualTo(ErrorCode.JOB_UNKNOWN);
    }

    @Test
    void whatADescriptionSaysWhenTheJobStartsCounts() throws IOException {
        Path description = dir.resolve("vm.yaml");
        script = "#!/bin/bash\n#VSE vse=" + description + "\nhostname\n";
        String text = "image: test\nshare: none\nnetwork: user\nmemory: ";
        Files.writeString(description, text + "256MiB\n");
        assertThat(prologue().record().machines().get(0).memoryBytes()).isEqualTo(256L << 20);
        Files.writeString(description, text + "320MiB\n");
        assertThat(prologue().record().machines().get(0).memoryBytes()).isEqualTo(256L << 20);
        attempt = 2;
        assertThat(prologue().record().machines().get(0).memoryBytes()).isEqualTo(320L << 20);
    }

    @Test
    void aDescriptionIsRefusedOnTheNodeAtItsLine() throws IOException {
        Path description = Files.writeString(dir.resolve("vm.yaml"), "image: test\nmemry: 1GiB\n");
        script = "#!/bin/bash\n#VSE vse=" + description + "\nhostname\n";
        VseException refused = catchThrowableOfType(VseException.class, this::prologue);
        assertThat(refused.code()).isEqualTo(ErrorCode.DESCRIPTION_INVALID);
        assertThat(refused.where()).isEqualTo(description + ":2:1");
        Files.delete(description);
        assertThat(catchThrowableOfType(VseException.class, this::prologue)).isSameAs(refused);
    }

    @Test
    void aNewerAttemptEndsTheOlderOneFirst() {
        prologue();
        attempt = 2;
        assertThat(prologue().record().attempt()).isEqualTo(2);
        assertThat(done).containsExactly("up 17.1", "down 17.1", "up 17.2");
        attempt = 1;
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.JOB_STATE);
    }

    @Test
    void anEpilogueOfAnOlderAttemptLeavesTheNewerOneAlone() throws Exception {
        attempt = 2;
        prologue();
        assertThat(epilogue(0)).isTrue();
        assertThat(done).containsExactly("up 17.2");
        starter(0, SCRIPT);
        assertThat(epilogue(1)).isTrue();
        assertThat(done).last().isEqualTo("down 17.2");
    }

    @Test
    void anEpilogueHearsThatTheMachinesOfItsAttemptWereSaved() throws Exception {
        saves = true;
        attempt = 2;
        Job job = prologue();
        starter(0, SCRIPT);
        scriptEnds.countDown();
        while (job.feed().first("checkpointed").isEmpty()) {
            job.feed().from(Integer.MAX_VALUE, 100);
        }
        HookDesk.Ended whole = new HookDesk.Ended(true, true);
        assertThat(desk.epilogue(SLURM, hook(HookPoint.EPILOGUE, 1))).isEqualTo(whole);
        assertThat(desk.epilogue(SLURM, hook(HookPoint.EPILOGUE, 1))).isEqualTo(whole);
        assertThat(desk.epilogue(SLURM, hook(HookPoint.EPILOGUE, 0)).saved()).isFalse();
        assertThat(desk.epilogue(SLURM, hook(HookPoint.EPILOGUE, 2)).saved()).isFalse();
    }

    @Test
    void anEpilogueWithoutAPrologueFindsNothingToDo() {
        assertThat(epilogue(0)).isTrue();
        assertThat(done).isEmpty();
    }

    @Test
    void onlyTheJobsUserStartsItsScriptOnceAndNoOtherScript() throws Exception {
        prologue();
        assertThat(refused(() -> starter(4321, SCRIPT))).isEqualTo(ErrorCode.JOB_UNKNOWN);
        assertThat(refused(() -> starter(0, SCRIPT + "rm -rf /\n"))).isEqualTo(ErrorCode.NOT_PERMITTED);
        starter(0, SCRIPT);
        assertThat(refused(() -> starter(0, SCRIPT))).isEqualTo(ErrorCode.JOB_STATE);
    }

    @Test
    void whatTheBatchSystemDoesNotSayIsToldToTheUserAndAskedAgain() {
        nodes = "n[";
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.INTERNAL);
        assertThat(refused(() -> starter(0, SCRIPT))).isEqualTo(ErrorCode.INTERNAL);
        nodes = "here";
        assertThat(prologue().state()).isEqualTo(JobState.READY);
    }

    @Test
    void aStarterWithoutAPrologueIsTold() {
        assertThat(refused(() -> starter(0, SCRIPT))).isEqualTo(ErrorCode.JOB_UNKNOWN);
    }

    @Test
    void coresThatALocalJobHasAreNotGivenAgain() {
        local.accept(node.admission(TestNode.ROOT));
        cores = "0";
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.DAEMON_BUSY);
        attempt = 2;
        cores = "1";
        assertThat(prologue().record().machines().get(0).cores()).containsExactly(1);
    }

    @Test
    void coresThatAreAboutToBeFreeAreWaitedFor() throws Exception {
        String first = local.accept(node.admission(TestNode.ROOT)).id();
        cores = "0";
        desk = desk(dir.resolve("policy.yaml"), Duration.ofMinutes(1));
        CompletableFuture<Job> prepared = CompletableFuture.supplyAsync(this::prologue);
        assertThatThrownBy(() -> prepared.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        local.cancel(first);
        assertThat(prepared.get(20, TimeUnit.SECONDS).record().machines().get(0).cores())
                .containsExactly(0);
    }

    @Test
    void coresThatThisNodeDoesNotHaveAreChosenHere() {
        cores = "62-63";
        assertThat(prologue().record().machines().get(0).cores()).containsExactly(0, 1);
    }

    @Test
    void aJobOfAnotherNodeIsRefused() {
        nodes = "there";
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.CONFIG_INVALID);
    }

    @Test
    void onANodeThatIsNotTheFirstNothingIsBegun() {
        nodes = "before,here";
        assertThat(desk.prologue(SLURM, hook(HookPoint.PROLOGUE, 0))).isEmpty();
        assertThat(local.leases()).isEmpty();
    }

    @Test
    void aStarterThatDoesNotKnowItsAttemptStartsTheOneThatWasPrepared() throws Exception {
        HookCall prologue = new HookCall(
                HookPoint.PROLOGUE,
                List.of("17.head", "root", "root", "x", "nodes=1:ppn=2", "batch", "", "/spool/17.head.SC"),
                Map.of("PBS_O_WORKDIR", "/tmp"),
                "");
        HookCall starter = new HookCall(
                HookPoint.STARTER,
                List.of("/bin/bash"),
                Map.of("PBS_JOBID", "17.head", "PBS_TASKNUM", "1", "PBS_NODEFILE", "/spool/aux/17.head"),
                "/spool/17.head.SC\n");
        attempt = 3;
        assertThat(refused(() -> starter(BatchSystem.TORQUE, starter, 0, SCRIPT)))
                .isEqualTo(ErrorCode.JOB_UNKNOWN);
        Job job = desk.prologue(BatchSystem.TORQUE, prologue).orElseThrow();
        assertThat(job.record().attempt()).isEqualTo(3);
        assertThat(refused(() -> starter(BatchSystem.TORQUE, starter, 4321, SCRIPT)))
                .isEqualTo(ErrorCode.JOB_UNKNOWN);
        assertThat(starter(BatchSystem.TORQUE, starter, 0, SCRIPT)).isSameAs(job);
        assertThat(job.environment()).containsEntry("PBS_NODEFILE", GuestSetup.NODE_FILE);
    }

    @Test
    void aQueueWithoutAPolicyRunsNoMachine() throws IOException {
        Files.writeString(dir.resolve("policy.yaml"), "queues:\n  other: { images: { allow: [\"*\"] } }\n");
        assertThat(refused(this::prologue)).isEqualTo(ErrorCode.POLICY_QUEUE_DENIED);
    }
}
