package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.SaveOrder;
import org.vse.job.lifecycle.SavedAs;
import org.vse.job.step.Guests;
import org.vse.job.step.Node;
import org.vse.job.step.VmAccount;
import org.vse.policy.Network;
import org.vse.process.NamespaceSocket;
import org.vse.provisioner.guest.GuestConfigurator;
import org.vse.provisioner.guest.GuestJob;
import org.vse.provisioner.guest.JobSignal;
import org.vse.provisioner.network.NetworkPlan;

/** The calls of docs/api.md about jobs: taking them in, looking into them, reaching them. */
final class JobCalls {
    private static final long FEED_LOOK_MILLIS = 1000;
    private static final int SSH = 22;
    private static final long CONNECT_MILLIS = 10_000;

    private final Node node;
    private final ObjectMapper json;
    private final JobTable table;
    private final LocalDesk desk;
    private final CurrentPolicy policy;
    private final HostUsers users;
    private final OutputFollower outputs;
    private final JobView views;

    JobCalls(Node node, ObjectMapper json, JobTable table, LocalDesk desk, CurrentPolicy policy, HostUsers users) {
        this.node = node;
        this.json = json;
        this.table = table;
        this.desk = desk;
        this.policy = policy;
        this.users = users;
        this.outputs = new OutputFollower(node.growth());
        this.views = new JobView(json);
    }

    /** Answers a call below {@code /v1/jobs}. */
    void answer(Call call) throws IOException {
        List<String> path = call.path();
        if (path.size() == 2) {
            if (call.method().equals("POST")) {
                submit(call);
            } else {
                call.reply().json(200, list(call));
            }
            return;
        }
        String id = path.get(2);
        String what = path.size() > 3 ? path.get(3) : "";
        switch (call.method() + " " + what) {
            case "GET " -> call.reply().json(200, show(call, id));
            case "GET events" -> events(call, id);
            case "GET output" -> output(call, running(call, id));
            case "GET console" -> console(call, running(call, id));
            case "GET key" -> key(call, running(call, id));
            case "POST signal" -> signal(call, running(call, id));
            case "POST checkpoint" -> checkpoint(call, running(call, id));
            case "POST pause" -> suspend(call, running(call, id), false);
            case "POST resume" -> suspend(call, running(call, id), true);
            case "POST output-point" -> {
                OutputPoints.keep(node, running(call, id), call.body());
                call.reply().json(200, Map.of());
            }
            case "POST cancel" -> cancel(call, id);
            case "POST terminal" -> terminal(call, running(call, id));
            case "POST tunnel" -> tunnel(call, running(call, id));
            default -> throw call.unknown();
        }
    }

    private void submit(Call call) throws IOException {
        Submission submission = Submission.of(call.body(), json);
        String wanted = submission.user();
        if (wanted != null && !call.peer().isAdmin()) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "only root may run a job as another user")
                    .next("leave --user out");
        }
        JobRecord.User user =
                users.find(wanted == null ? Integer.toString(call.peer().uid()) : wanted);
        if (desk.standing() == Standing.ORDINARY && user.uid() != call.peer().owner()) {
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED,
                            "this vsed runs jobs of uid " + call.peer().owner() + " only")
                    .next("use a vsed of your own, or root's");
        }
        LocalDesk.Accepted accepted = accept(submission, user);
        Reply.Body body = call.reply().stream("application/x-ndjson");
        body.onGone(() -> abandon(accepted.id()));
        follow(accepted.feed(), 0, body);
    }

    private LocalDesk.Accepted accept(Submission submission, JobRecord.User user) {
        try {
            return desk.accept(Admission.of(submission, user, policy.get(), node.images(), desk.standing()));
        } catch (VseException e) {
            throw VmAccount.refused(node, user, e);
        }
    }

    /** Whoever submitted has gone: a job that has not begun to run is not wanted any more. */
    private void abandon(String id) {
        boolean begun = table.find(id)
                .map(job -> job.state() == JobState.RUNNING || job.state().isFinal())
                .orElse(false);
        if (!begun) {
            desk.cancel(id);
        }
    }

    private void events(Call call, String id) throws IOException {
        EventFeed feed = feed(call, id);
        follow(
                feed,
                (int) Math.min(Integer.MAX_VALUE, call.number("from", 0)),
                call.reply().stream("application/x-ndjson"));
    }

    private EventFeed feed(Call call, String id) {
        Optional<LocalDesk.Pending> waiting = desk.pending(id);
        if (waiting.isPresent()) {
            requireTouch(call, id, waiting.get().admission().user().uid());
            return waiting.get().feed();
        }
        return running(call, id).feed();
    }

    private static void follow(EventFeed feed, int from, Reply.Body body) throws IOException {
        int next = from;
        try {
            while (!body.isGone()) {
                boolean ended = feed.isEnded();
                List<String> lines = feed.from(next, FEED_LOOK_MILLIS);
                for (String line : lines) {
                    body.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
                }
                next += lines.size();
                if (ended && lines.isEmpty()) {
                    body.close();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the daemon is ending", e);
        }
    }

    private ObjectNode list(Call call) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode jobs = answer.putArray("jobs");
        List<LocalDesk.Pending> pending = desk.pending();
        for (int i = pending.size() - 1; i >= 0; i--) {
            if (call.peer().mayTouch(pending.get(i).admission().user().uid())) {
                jobs.add(views.pending(pending.get(i)));
            }
        }
        List<Job> all = table.all();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (call.peer().mayTouch(all.get(i).record().user().uid())) {
                jobs.add(views.job(all.get(i)));
            }
        }
        return answer;
    }

    private ObjectNode show(Call call, String id) {
        Optional<LocalDesk.Pending> waiting = desk.pending(id);
        if (waiting.isPresent()) {
            requireTouch(call, id, waiting.get().admission().user().uid());
            return views.pending(waiting.get());
        }
        return views.job(running(call, id));
    }

    private void output(Call call, Job job) throws IOException {
        String name = call.path().size() == 5 ? call.path().get(4) : "";
        Path file = switch (name) {
            case "stdout" -> job.files().stdout();
            case "stderr" -> job.files().stderr();
            default -> throw call.unknown();
        };
        Reply.Body body = call.reply().stream("application/octet-stream");
        outputs.send(
                file,
                call.number("offset", 0),
                call.flag("follow"),
                () -> job.outcome().isPresent() || job.state().isFinal(),
                body);
    }

    private void console(Call call, Job job) throws IOException {
        JobRecord.Machine machine = machine(call, job);
        Reply.Body body = call.reply().stream("application/octet-stream");
        outputs.send(
                job.files().console(machine.index()),
                call.number("offset", 0),
                call.flag("follow"),
                () -> job.state().isFinal(),
                body);
    }

    private void key(Call call, Job job) throws IOException {
        if (job.state().isFinal() || !Files.exists(job.files().key())) {
            throw notInState(job, "has no machine to log in to");
        }
        requireJoined(job);
        call.reply()
                .json(
                        200,
                        Map.of(
                                "privateKey",
                                Files.readString(job.files().key()),
                                "user",
                                job.record().user().name(),
                                "host",
                                job.record().machines().get(0).name()));
    }

    /** A machine with a user-mode network reaches nothing and is reached by nothing. */
    private void requireJoined(Job job) {
        if (job.record().network() != Network.JOB) {
            throw VseException.of(ErrorCode.USAGE, "the machines of a job with network=user cannot be reached")
                    .fact("reason", "they have no network of the job, through which ssh would go")
                    .next(
                            desk.standing() == Standing.ORDINARY
                                    ? "vse run --interactive IMAGE, or let root run vsed: network=job takes root"
                                    : "use network=job");
        }
    }

    private void signal(Call call, Job job) throws IOException {
        String name = call.text("signal");
        JobSignal signal;
        try {
            signal = JobSignal.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw VseException.of(ErrorCode.USAGE, "'" + name + "' is not a signal that can be sent")
                    .fact("allowed", List.of(JobSignal.values()))
                    .because(e);
        }
        requireRunning(job);
        boolean sent = script().signal(Guests.control(node, job, 0), signal);
        call.reply().json(200, Map.of("sent", sent));
    }

    /** A batch system that does not know of it goes on counting the walltime. */
    private void suspend(Call call, Job job, boolean run) throws IOException {
        Suspension.change(node, job, run, job.record().scheduler().equals(JobRecord.EMBEDDED));
        call.reply().json(200, Map.of("job", job.record().id(), "suspended", !run));
    }

    /** Answers when the machines are saved, or could not be. */
    private void checkpoint(Call call, Job job) throws IOException {
        requireRunning(job);
        SaveOrder order = new SaveOrder(call.body().path("stop").asBoolean(false));
        job.pauses().order(order);
        node.growth().wake(job.files().directory());
        try {
            SavedAs saved = order.done().get();
            call.reply()
                    .json(
                            200,
                            Map.of(
                                    "job", job.record().id(),
                                    "number", saved.number(),
                                    "bytes", saved.bytes(),
                                    "stillMillis", saved.still().toMillis()));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof VseException known ? known : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the daemon is ending", e);
        }
    }

    private void cancel(Call call, String id) throws IOException {
        show(call, id);
        desk.cancel(id);
        call.reply().json(202, Map.of("cancelled", id));
    }

    private void terminal(Call call, Job job) throws IOException {
        if (!job.record().isInteractive()) {
            throw notInState(job, "is not interactive and has no terminal");
        }
        if (call.path().size() == 5 && call.path().get(4).equals("size")) {
            requireRunning(job);
            script().resize(
                            Guests.control(node, job, 0),
                            call.integer("rows", 1, 10_000),
                            call.integer("columns", 1, 10_000));
            call.reply().json(200, Map.of());
            return;
        }
        if (!Files.exists(job.files().terminal())) {
            throw notInState(job, "has no terminal now");
        }
        SocketChannel channel =
                SocketChannel.open(UnixDomainSocketAddress.of(job.files().terminal()));
        job.terminal().countDown();
        call.reply().handOver(channel);
    }

    private void tunnel(Call call, Job job) throws IOException {
        JobRecord.Machine machine = machine(call, job);
        requireJoined(job);
        requireRunning(job);
        NetworkPlan plan = job.record().networkPlan();
        int port = (int) Math.min(65_535, call.number("port", SSH));
        if (port == SSH) {
            new GuestConfigurator(node.timeouts().setup(), node.timeouts().setup())
                    .startSsh(Guests.control(node, job, machine.index()));
        }
        call.reply().handOver(connect(plan, machine, port));
    }

    private static SocketChannel connect(NetworkPlan plan, JobRecord.Machine machine, int port) {
        try {
            return NamespaceSocket.connect(
                    NetworkPlan.file(plan.serviceNamespace()), plan.address(machine.index()), port, CONNECT_MILLIS);
        } catch (IOException e) {
            throw VseException.of(
                            ErrorCode.GUEST_UNRESPONSIVE,
                            "machine " + machine.name() + " takes no connections on port " + port)
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("see that a server listens there; for port 22 the image needs an ssh server")
                    .because(e);
        }
    }

    private GuestJob script() {
        return new GuestJob(node.timeouts().start());
    }

    private JobRecord.Machine machine(Call call, Job job) {
        String index = call.path().size() == 5 ? call.path().get(4) : "";
        return job.record().machines().stream()
                .filter(machine -> Integer.toString(machine.index()).equals(index))
                .findFirst()
                .orElseThrow(() -> VseException.of(
                                ErrorCode.JOB_UNKNOWN, "job '" + job.record().id() + "' has no machine '" + index + "'")
                        .fact("machines", job.record().machines().size()));
    }

    private Job running(Call call, String id) {
        Job job = table.find(id).orElseThrow(() -> unknownJob(id));
        requireTouch(call, id, job.record().user().uid());
        return job;
    }

    /** Another user's job is answered like one that does not exist. */
    private static void requireTouch(Call call, String id, int uid) {
        if (!call.peer().mayTouch(uid)) {
            throw unknownJob(id);
        }
    }

    private static void requireRunning(Job job) {
        if (job.state() != JobState.RUNNING || job.outcome().isPresent()) {
            throw notInState(job, "is not running");
        }
    }

    private static VseException notInState(Job job, String what) {
        return VseException.of(ErrorCode.JOB_STATE, "job '" + job.record().id() + "' " + what)
                .fact("state", job.state())
                .next("vse job show " + job.record().id());
    }

    private static VseException unknownJob(String id) {
        return VseException.of(ErrorCode.JOB_UNKNOWN, "there is no job '" + id + "'")
                .next("vse job ls");
    }
}
