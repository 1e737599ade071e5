package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Outcome;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.policy.layer.Policy;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;

@Timeout(30)
class LocalDeskTest {
    @TempDir
    Path dir;

    private TestNode node;
    private volatile boolean undoFails;
    private final JobTable table = new JobTable();
    private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
    private final List<String> started = java.util.Collections.synchronizedList(new ArrayList<>());

    /** Runs a job until its gate opens; an interrupt ends it. */
    private final class Gate implements Step {
        @Override
        public String name() {
            return "gate";
        }

        @Override
        public void apply(Job job, Progress progress) {
            for (JobState state : List.of(JobState.STAGED, JobState.CREATED, JobState.READY, JobState.RUNNING)) {
                job.journal().enter(state);
            }
            started.add(job.record().id());
            try {
                gate(job.record().id()).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted").because(e);
            }
            job.end(new Outcome(0, null, Instant.EPOCH, 0, 0, false));
        }

        @Override
        public void undo(Job job) {
            if (undoFails) {
                throw VseException.of(ErrorCode.DISK_FULL, "no room");
            }
        }
    }

    private CountDownLatch gate(String id) {
        return gates.computeIfAbsent(id, key -> new CountDownLatch(1));
    }

    @BeforeEach
    void start() throws IOException {
        node = new TestNode(dir, new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), FakeGuest.silent()));
        node.publish("disk".getBytes(StandardCharsets.UTF_8), Set.of());
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private LocalDesk desk(List<Integer> cores, int uids) {
        return new LocalDesk(
                node.node(),
                node.config(cores, uids),
                node.json(),
                table,
                whenOver -> new JobRunner(node.node(), record -> new JobLifecycle(List.of(new Gate())), whenOver),
                List.of());
    }

    private String submit(LocalDesk desk) {
        return desk.accept(node.admission(TestNode.CAROL)).id();
    }

    private EventFeed feed(LocalDesk desk, String id) {
        return table.find(id)
                .map(Job::feed)
                .orElseGet(() -> desk.pending(id).orElseThrow().feed());
    }

    private static List<String> awaitEnd(EventFeed feed) throws InterruptedException {
        List<String> lines = new ArrayList<>();
        while (!lines.stream().anyMatch(line -> line.contains("\"event\":\"settled\""))) {
            List<String> more = feed.from(lines.size(), 10_000);
            assertThat(more).as("after %s", lines).isNotEmpty();
            lines.addAll(more);
        }
        return lines;
    }

    private void awaitStarted(int count) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (started.size() < count && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(started).hasSize(count);
    }

    @Test
    void theNodeShowsItsCoresAndToEachTheirOwnJobs() throws Exception {
        LocalDesk desk = desk(List.of(4, 7), 10);
        submit(desk);
        awaitStarted(1);
        NodeView view = new NodeView(node.json(), table, desk);
        int carol = TestNode.CAROL.uid();
        assertThat(view.of(new Peer(1, carol, carol, 0)))
                .hasToString("{\"node\":\"here\",\"oversubscribe\":1,"
                        + "\"memoryBytes\":8589934592,\"freeMemoryBytes\":7784628224,\"cores\":["
                        + "{\"core\":4,\"numa\":0,\"holders\":1,\"state\":\"BUSY\",\"jobs\":[\"local-1\"]},"
                        + "{\"core\":7,\"numa\":0,\"holders\":0,\"state\":\"FREE\",\"jobs\":[]}]}");
        assertThat(view.of(new Peer(1, carol + 1, carol, 0)).toString())
                .contains("\"holders\":1")
                .doesNotContain("local-1");
        gate("local-1").countDown();
        awaitEnd(feed(desk, "local-1"));
    }

    @Test
    void jobsStartInTheirOrderAndAreToldWhatTheyWaitFor() throws Exception {
        LocalDesk desk = desk(List.of(0), 10);
        List<String> ids = List.of(submit(desk), submit(desk), submit(desk));
        assertThat(ids).containsExactly("local-1", "local-2", "local-3");
        EventFeed third = feed(desk, ids.get(2));
        assertThat(third.from(0, 0)).anyMatch(line -> line.contains("\"step\":\"queue\""));
        for (int i = 0; i < 3; i++) {
            awaitStarted(i + 1);
            assertThat(started.get(i)).isEqualTo(ids.get(i));
            assertThat(desk.pending()).hasSize(2 - i);
            gate(ids.get(i)).countDown();
            awaitEnd(feed(desk, ids.get(i)));
        }
        assertThat(desk.active()).isEmpty();
        assertThat(table.find(ids.get(2)).orElseThrow().state()).isEqualTo(JobState.SETTLED);
    }

    @Test
    void aWaitingJobThatIsCancelledLeavesNothing() throws Exception {
        LocalDesk desk = desk(List.of(0), 10);
        String first = submit(desk);
        String second = submit(desk);
        EventFeed feed = feed(desk, second);
        desk.cancel(second);
        assertThat(awaitEnd(feed)).anyMatch(line -> line.contains("JOB_CANCELLED"));
        assertThat(desk.pending(second)).isEmpty();
        assertThat(table.find(second)).isEmpty();
        assertThat(directories()).isEqualTo(1);
        gate(first).countDown();
        awaitEnd(feed(desk, first));
        desk.cancel(first);
        assertThat(started).containsExactly(first);
    }

    @Test
    void aRunningJobThatIsCancelledFailsAndItsCoresAreFree() throws Exception {
        LocalDesk desk = desk(List.of(0), 10);
        String first = submit(desk);
        String second = submit(desk);
        awaitStarted(1);
        desk.cancel(first);
        assertThat(awaitEnd(feed(desk, first))).anyMatch(line -> line.contains("JOB_CANCELLED"));
        assertThat(table.find(first).orElseThrow().state()).isEqualTo(JobState.FAILED);
        awaitStarted(2);
        gate(second).countDown();
        awaitEnd(feed(desk, second));
        desk.runner().awaitIdle();
    }

    @Test
    void aJobThatCannotBeTakenDownKeepsItsCoresUntilItCan() throws Exception {
        LocalDesk desk = desk(List.of(0), 10);
        String first = submit(desk);
        String second = submit(desk);
        awaitStarted(1);
        undoFails = true;
        gate(first).countDown();
        assertThat(awaitEnd(feed(desk, first))).anyMatch(line -> line.contains("it will be tried again"));
        desk.runner().awaitIdle();
        desk.runner().finishStuck();
        desk.runner().awaitIdle();
        assertThat(table.find(first).orElseThrow().state()).isEqualTo(JobState.RUNNING);
        assertThat(desk.active()).containsExactly(second, first);
        undoFails = false;
        desk.runner().finishStuck();
        awaitStarted(2);
        assertThat(table.find(first).orElseThrow().state()).isEqualTo(JobState.SETTLED);
        gate(second).countDown();
        awaitEnd(feed(desk, second));
        desk.runner().finishStuck();
        desk.runner().awaitIdle();
        assertThat(desk.active()).isEmpty();
    }

    @Test
    void aNodeWithoutAFreeUidSaysSo() throws Exception {
        LocalDesk desk = desk(List.of(0, 1), 1);
        String first = submit(desk);
        String id = "local-2";
        LocalDesk.Accepted second = desk.accept(node.admission(TestNode.CAROL));
        assertThat(second.id()).isEqualTo(id);
        assertThat(awaitEnd(second.feed())).anyMatch(line -> line.contains("UIDS_BUSY"));
        assertThat(desk.pending(id)).isEmpty();
        assertThat(table.find(id)).isEmpty();
        assertThat(desk.active()).containsExactly(first);
        gate(first).countDown();
        awaitEnd(feed(desk, first));
        String third = submit(desk);
        gate(third).countDown();
        awaitEnd(feed(desk, third));
        assertThat(table.find(third).orElseThrow().state()).isEqualTo(JobState.SETTLED);
    }

    @Test
    void machinesOfAnOrdinaryUserRunAsThatUserWithoutAPool() throws IOException {
        LocalDesk desk = new LocalDesk(
                node.node(),
                node.config(List.of(0, 1), 1, Standing.ORDINARY),
                node.json(),
                table,
                whenOver -> new JobRunner(node.node(), record -> new JobLifecycle(List.of()), whenOver),
                List.of());
        for (int i = 0; i < 2; i++) {
            String id = desk.accept(node.admission(TestNode.CAROL)).id();
            JobRecord record = table.find(id).orElseThrow().record();
            assertThat(record.qemuUid()).isEqualTo(TestNode.CAROL.uid());
            assertThat(record.qemuGid()).isEqualTo(TestNode.CAROL.gid());
        }
    }

    @Test
    void aJobThatNeverFitsIsRefusedWithoutATrace() throws IOException {
        LocalDesk desk = desk(List.of(0), 10);
        Admission big = Admission.of(
                TestNode.submission("#VSE image=test share=none network=user vcpus=2"),
                TestNode.CAROL,
                Policy.vendor(),
                node.node().images(),
                Standing.ROOT);
        VseException failure = catchThrowableOfType(VseException.class, () -> desk.accept(big));
        assertThat(failure.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE);
        assertThat(directories()).isZero();
    }

    @Test
    void numbersAreNeverGivenTwice() throws Exception {
        LocalDesk before = desk(List.of(0), 10);
        LocalDesk after = desk(List.of(1), 10);
        assertThat(submit(before)).isEqualTo("local-1");
        assertThat(submit(after)).isEqualTo("local-2");
        gate("local-1").countDown();
        gate("local-2").countDown();
        before.runner().awaitIdle();
        after.runner().awaitIdle();
    }

    private long directories() throws IOException {
        try (Stream<Path> jobs = Files.list(node.state().resolve("jobs"))) {
            return jobs.count();
        }
    }

    @Test
    void aJobWaitsForMemoryAndOneThatIsTooLargeIsRefused() throws Exception {
        LocalDesk desk = desk(List.of(0, 1), 8);
        Admission large = Admission.of(
                TestNode.submission("#VSE image=test share=none network=user memory=5GiB"),
                TestNode.CAROL,
                Policy.vendor(),
                node.node().images(),
                Standing.ROOT);
        String first = desk.accept(large).id();
        String second = desk.accept(large).id();
        assertThat(desk.pending(second).orElseThrow().said()).contains("of memory are taken: " + first);
        assertThat(String.join("\n", feed(desk, second).from(0, 0))).contains("\"for\":\"memory: 5376MiB of 8192MiB");
        Admission huge = Admission.of(
                TestNode.submission("#VSE image=test share=none network=user memory=8GiB"),
                TestNode.CAROL,
                Policy.vendor(),
                node.node().images(),
                Standing.ROOT);
        assertThatThrownBy(() -> desk.accept(huge))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("JOB_TOO_LARGE")
                .hasMessageContaining("memory");
        gate(first).countDown();
        awaitStarted(2);
        gate(second).countDown();
        awaitEnd(feed(desk, second));
    }
}
