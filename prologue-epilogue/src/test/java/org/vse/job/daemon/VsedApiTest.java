package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.ledger.JobKey;
import org.vse.ledger.JobOutcome;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Machine;
import org.vse.ledger.Submitter;
import org.vse.process.CommandRunner;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.SavedVm;
import org.vse.provisioner.checkpoint.SetManifest;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;

/** Who may do what; the daemon is root's, the callers are whoever a test says. */
@Timeout(30)
class VsedApiTest {
    private static final int CAROL = 4321;
    private static final int DAVE = 4322;

    @TempDir
    Path dir;

    private TestNode node;
    private VsedApi api;
    private LocalDesk desk;
    private final JobTable table = new JobTable();
    private final CountDownLatch down = new CountDownLatch(1);
    private String waiting = "";
    private String ended = "";

    @BeforeEach
    void start() throws Exception {
        node = new TestNode(dir, new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), FakeGuest.silent()));
        node.publish("disk".getBytes(StandardCharsets.UTF_8), Set.of());
        CountDownLatch never = new CountDownLatch(1);
        desk = new LocalDesk(
                node.node(),
                node.config(List.of(0), 10),
                node.json(),
                table,
                whenOver -> new JobRunner(
                        node.node(), record -> new JobLifecycle(List.of(new BlockedStep(never))), whenOver),
                List.of());
        ended = desk.accept(node.admission(TestNode.CAROL)).id();
        waiting = desk.accept(node.admission(TestNode.CAROL)).id();
        api = new VsedApi(
                node.node(),
                node.json(),
                table,
                desk,
                new CurrentPolicy(new PolicyOnDisk(dir.resolve("none.yaml"), false)),
                new HostUsers(new CommandRunner()),
                node.json().createObjectNode().put("version", "x"),
                node.node().ledger()::prune,
                down);
    }

    @AfterEach
    void stop() throws InterruptedException {
        desk.cancel(waiting);
        desk.cancel(ended);
        desk.runner().awaitIdle();
        node.close();
    }

    /** What a caller is answered. */
    private static final class Answered implements Reply {
        private int status;
        private Object value = "";

        @Override
        public void json(int status, Object value) {
            this.status = status;
            this.value = value;
        }

        @Override
        public Body stream(String contentType) {
            throw new AssertionError("a stream");
        }

        @Override
        public void handOver(ByteChannel peer) throws IOException {
            peer.close();
            throw new AssertionError("a connection " + ByteBuffer.allocate(0));
        }
    }

    private JsonNode ask(int uid, String method, String path, JsonNode body) {
        return ask(uid, method, path, Map.of(), body);
    }

    private JsonNode ask(int uid, String method, String path, Map<String, String> query, JsonNode body) {
        Answered reply = new Answered();
        Peer peer = new Peer(1, uid, uid, 0);
        api.answer(new Call(peer, method, List.of(path.split("/", -1)), query, body, reply));
        assertThat(reply.status).isBetween(200, 299);
        try {
            return node.json().readTree(node.json().writeValueAsBytes(reply.value));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private JsonNode ask(int uid, String method, String path) {
        return ask(uid, method, path, MissingNode.getInstance());
    }

    private ErrorCode refused(int uid, String method, String path) {
        VseException failure = catchThrowableOfType(VseException.class, () -> ask(uid, method, path));
        assertThat(failure).as("%s %s", method, path).isNotNull();
        return failure.code();
    }

    private void saved(String job, int uid, Instant taken) throws IOException {
        CheckpointStore.Draft draft = node.node().checkpoints().begin("set-" + job, 1);
        Files.writeString(draft.file("memory"), "m");
        Files.writeString(draft.file("disk"), "d");
        SavedVm vm = new SavedVm(0, "n1", 1, 1 << 20, draft.seal("memory", 1), 1, draft.seal("disk", 0));
        var unused = draft.commit(new SetManifest(
                SetManifest.VERSION,
                "set-" + job,
                1,
                "local",
                job,
                uid,
                1,
                taken,
                "0123456789ab",
                "sha256:0",
                "0",
                "QEMU 7.2.0",
                "maximum",
                List.of(vm),
                List.of(),
                60));
    }

    @Test
    void oldCheckpointsAreDeletedByWhoeverTheyAreOf() throws IOException {
        Instant limit = Instant.parse("2026-01-02T03:00:00Z");
        saved("old", CAROL, limit.minusSeconds(1));
        saved("young", CAROL, limit);
        saved("daves", DAVE, limit.minusSeconds(1));
        saved(ended, CAROL, limit.minusSeconds(1));
        ObjectNode body = node.json().createObjectNode().put("before", limit.toString());
        JsonNode would = ask(CAROL, "POST", "v1/checkpoints", body.deepCopy().put("dryRun", true));
        assertThat(would.path("checkpoints").findValuesAsText("job")).containsExactly("old");
        assertThat(node.node().checkpoints().tags()).hasSize(4);
        assertThat(ask(CAROL, "POST", "v1/checkpoints", body)).isEqualTo(would);
        assertThat(node.node().checkpoints().tags()).containsOnly("set-young", "set-daves", "set-" + ended);
        assertThat(ask(0, "POST", "v1/checkpoints", body).path("checkpoints").findValuesAsText("job"))
                .containsExactly("daves");
        assertThat(node.node().checkpoints().tags()).containsOnly("set-young", "set-" + ended);
    }

    @Test
    void anOrdinaryUsersDaemonRunsNobodyElsesJobs() throws IOException {
        LocalDesk own = new LocalDesk(
                node.node(),
                node.config(List.of(0), 1, Standing.ORDINARY),
                node.json(),
                table,
                whenOver -> new JobRunner(node.node(), record -> new JobLifecycle(List.of()), whenOver),
                List.of());
        VsedApi carols = new VsedApi(
                node.node(),
                node.json(),
                table,
                own,
                new CurrentPolicy(new PolicyOnDisk(dir.resolve("none.yaml"), false)),
                new HostUsers(new CommandRunner()),
                node.json().createObjectNode(),
                node.node().ledger()::prune,
                down);
        JsonNode job =
                node.json().readTree("{\"script\":{\"name\":\"/j\",\"text\":\"#VSE image=test\\n\"},\"cwd\":\"/tmp\"}");
        Peer root = new Peer(1, 0, 0, CAROL);
        VseException failure = catchThrowableOfType(
                VseException.class,
                () -> carols.answer(new Call(root, "POST", List.of("v1", "jobs"), Map.of(), job, new Answered())));
        assertThat(failure.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(failure.what()).contains("uid " + CAROL + " only");
    }

    @Test
    void aRefusedJobIsInTheLedger() throws IOException {
        JsonNode job =
                node.json().readTree("{\"script\":{\"name\":\"/j\",\"text\":\"#VSE image=none\\n\"},\"cwd\":\"/tmp\"}");
        VseException why = catchThrowableOfType(VseException.class, () -> ask(0, "POST", "v1/jobs", job));
        List<JobOutcome> outcomes = node.node().ledger().outcomes(null, null);
        assertThat(outcomes).extracting(JobOutcome::kind).containsExactly(JobOutcome.Kind.REFUSED);
        assertThat(outcomes).extracting(JobOutcome::code).containsExactly(why.code());
        assertThat(outcomes).extracting(outcome -> outcome.submitter().user()).containsExactly("root");
    }

    @Test
    void aJobOfAnotherUserIsLikeOneThatDoesNotExist() {
        for (String id : List.of(waiting, ended)) {
            for (String call : List.of(
                    "GET v1/jobs/%s",
                    "GET v1/jobs/%s/events",
                    "GET v1/jobs/%s/output/stdout",
                    "GET v1/jobs/%s/console/0",
                    "GET v1/jobs/%s/key",
                    "POST v1/jobs/%s/signal",
                    "POST v1/jobs/%s/cancel",
                    "POST v1/jobs/%s/terminal",
                    "POST v1/jobs/%s/terminal/size",
                    "POST v1/jobs/%s/tunnel/0")) {
                String[] words = call.formatted(id).split(" ");
                VseException own = catchThrowableOfType(VseException.class, () -> ask(DAVE, words[0], words[1]));
                VseException none = catchThrowableOfType(
                        VseException.class, () -> ask(DAVE, words[0], words[1].replace(id, "local-99")));
                assertThat(own).as(call).isNotNull();
                assertThat(own.code()).as(call).isEqualTo(ErrorCode.JOB_UNKNOWN);
                assertThat(own.render().replace(id, "ID"))
                        .as(call)
                        .isEqualTo(none.render().replace("local-99", "ID"));
            }
        }
        assertThat(table.find(ended).map(Job::isCancelled)).contains(false);
    }

    @Test
    void listsHaveOnesOwnOnlyAndRootSeesAll() {
        assertThat(ask(DAVE, "GET", "v1/jobs").path("jobs")).isEmpty();
        assertThat(ask(DAVE, "GET", "v1/vms").path("vms")).isEmpty();
        assertThat(ask(CAROL, "GET", "v1/jobs").path("jobs")).hasSize(2);
        assertThat(ask(0, "GET", "v1/jobs").path("jobs")).hasSize(2);
        assertThat(ask(0, "GET", "v1/vms").path("vms")).hasSize(1);
        assertThat(ask(CAROL, "GET", "v1/jobs/" + waiting).path("state").asText())
                .isEqualTo("QUEUED");
    }

    @Test
    void onlyRootEndsTheDaemonOrRunsAsSomebodyElse() throws IOException {
        assertThat(refused(CAROL, "POST", "v1/down")).isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(down.getCount()).isEqualTo(1);
        JsonNode asRoot =
                node.json().readTree("{\"script\":{\"name\":\"/a\",\"text\":\"\"},\"cwd\":\"/tmp\",\"user\":\"root\"}");
        VseException failure = catchThrowableOfType(VseException.class, () -> ask(CAROL, "POST", "v1/jobs", asRoot));
        assertThat(failure.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
        ask(0, "POST", "v1/down");
        assertThat(down.getCount()).isZero();
    }

    @Test
    void whatIsNoCallIsSaid() {
        for (String call : List.of(
                "GET ",
                "GET v2/jobs",
                "GET v1",
                "GET v1/",
                "DELETE v1/jobs",
                "PUT v1/jobs/x",
                "GET v1/jobs/x/y",
                "GET v1/nothing",
                "POST v1/health",
                "GET v1/report",
                "GET v1/report/cores")) {
            String[] words = call.split(" ", -1);
            assertThat(refused(0, words[0], words[1])).as(call).isEqualTo(ErrorCode.USAGE);
        }
    }

    @Test
    void aReportComesInTheFormThatIsAskedFor() {
        Instant started = Instant.parse("2026-11-21T08:00:00Z");
        node.node()
                .ledger()
                .record(List.of(new LedgerEvent.VmOpened(
                        UUID.randomUUID(),
                        started,
                        new JobKey("here", "local", "7", 1),
                        new Submitter("carol", CAROL, "batch"),
                        new Machine("vm0", 0, "n1", List.of(0), 1, 1 << 20, "debian-12", "sha256:00", "TCG"),
                        started)));
        assertThat(ask(0, "GET", "v1/report/vms").path("vms")).hasSize(1);
        for (String what : List.of("vms", "users")) {
            JsonNode csv = report(what, Map.of("format", "csv"));
            assertThat(csv.path("empty")).isEqualTo(BooleanNode.FALSE);
            assertThat(csv.path("more")).isEqualTo(BooleanNode.FALSE);
            assertThat(csv.path("text").asText().lines()).hasSize(2);
        }
        assertThat(report("vms", Map.of("format", "table", "zone", "Asia/Tokyo"))
                        .path("text")
                        .asText())
                .contains("2026-11-21 17:00:00");
        for (Map<String, String> bad : List.of(Map.of("format", "pdf"), Map.of("format", "csv", "zone", "Nowhere"))) {
            VseException failure = catchThrowableOfType(VseException.class, () -> report("vms", bad));
            assertThat(failure.code()).isEqualTo(ErrorCode.USAGE);
        }
    }

    private JsonNode report(String what, Map<String, String> query) {
        return ask(0, "GET", "v1/report/" + what, query, MissingNode.getInstance());
    }

    @Test
    void partsOfAJobAreChecked() {
        assertThat(refused(CAROL, "GET", "v1/jobs/" + ended + "/console/1")).isEqualTo(ErrorCode.JOB_UNKNOWN);
        assertThat(refused(CAROL, "GET", "v1/jobs/" + ended + "/console/-1")).isEqualTo(ErrorCode.JOB_UNKNOWN);
        assertThat(refused(CAROL, "GET", "v1/jobs/" + ended + "/output/../job.json"))
                .isEqualTo(ErrorCode.USAGE);
        assertThat(refused(CAROL, "POST", "v1/jobs/" + ended + "/signal")).isEqualTo(ErrorCode.USAGE);
        assertThat(refused(CAROL, "POST", "v1/jobs/" + ended + "/terminal")).isEqualTo(ErrorCode.JOB_STATE);
        assertThat(refused(CAROL, "GET", "v1/jobs/" + ended + "/key")).isEqualTo(ErrorCode.JOB_STATE);
        assertThat(refused(CAROL, "POST", "v1/jobs/" + ended + "/tunnel/0")).isEqualTo(ErrorCode.USAGE);
    }
}
