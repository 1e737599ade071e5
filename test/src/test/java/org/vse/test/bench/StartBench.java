package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.imagestore.ImageStore;
import org.vse.job.client.Json;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * The promise about the start of a job: from the prologue's begin to the first line of the script, against the same guest
 * booted by hand with plain QEMU to the same point. The two are run in turn; the promise is about the median of the
 * differences.
 *
 * <p>{@code StartBench [PAIRS] [USER]}: without a user the job has no share; with one, the user's home is mounted by NFS in
 * both ways.
 */
public final class StartBench {
    private static final double PROMISE_SECONDS = 0.5;
    private static final String FIRST_LINE = "first";
    private static final String SCRIPT = "#!/bin/bash\necho " + FIRST_LINE + "\n";

    private final CommandRunner commands = new CommandRunner();
    private final Path state;
    private final Path run;

    private StartBench(Path state, Path run) {
        this.state = state;
        this.run = run;
    }

    public static void main(String[] args) throws Exception {
        int pairs = args.length > 0 ? Integer.parseInt(args[0]) : 7;
        @Nullable String user = args.length > 1 ? args[1] : null;
        if (pairs < 7) {
            throw new IllegalArgumentException("at least 7 pairs");
        }
        Path launcher = Path.of(System.getProperty("vse.launcher", "./vse")).toAbsolutePath();
        Path build = java.util.Objects.requireNonNull(launcher.getParent()).resolve("build");
        Path run = Path.of("/run/vseb-" + ProcessHandle.current().pid());
        StartBench bench = new StartBench(build.resolve("bench"), run);
        if (new ImageStore(bench.state.resolve("images")).list().isEmpty()) {
            bench.vse(
                    launcher,
                    "image",
                    "build",
                    launcher.resolveSibling("examples/images/debian-12.yaml").toString());
        }
        bench.vse(launcher, "up");
        boolean kept;
        try {
            kept = bench.compare(pairs, user);
        } finally {
            bench.vse(launcher, "down", "--cancel-jobs");
        }
        System.exit(kept ? 0 : 1);
    }

    private void vse(Path launcher, String... arguments) {
        List<String> argv = new ArrayList<>(List.of(launcher.toString()));
        argv.addAll(List.of(arguments));
        Map<String, String> environment = Map.of(
                "VSE_STATE_DIR", state.toString(), "VSE_RUN_DIR", run.toString(), "HOME", "/root", "VSE_YES", "1");
        if (commands.runInherited(Command.of(argv).withEnv(environment)) != 0) {
            throw new IllegalStateException("vse " + String.join(" ", arguments) + " failed");
        }
    }

    private boolean compare(int pairs, @Nullable String user) throws Exception {
        System.setProperty("vse.test.images", state.resolve("images").toString());
        byHand(user);
        byVse(user);
        double[] hand = new double[pairs];
        double[] ours = new double[pairs];
        double[] more = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            boolean handFirst = i % 2 == 0;
            if (handFirst) {
                hand[i] = byHand(user);
            }
            ours[i] = byVse(user);
            if (!handFirst) {
                hand[i] = byHand(user);
            }
            more[i] = ours[i] - hand[i];
            System.out.printf(
                    Locale.ROOT,
                    "pair %d: by hand %.2f s, vse %.2f s, difference %+.2f s%n",
                    i + 1,
                    hand[i],
                    ours[i],
                    more[i]);
        }
        double difference = median(more);
        System.out.printf(
                Locale.ROOT,
                "median of %d pairs, %s: by hand %.2f s, vse %.2f s, ratio %.2f, difference %+.2f s (promise: at most %+.2f s)%n",
                pairs,
                user == null ? "no share" : "home of " + user + " by NFS",
                median(hand),
                median(ours),
                median(ours) / median(hand),
                difference,
                PROMISE_SECONDS);
        return difference <= PROMISE_SECONDS;
    }

    /** Seconds from the order to the first line, through the daemon's socket as a hook speaks to it. */
    private double byVse(@Nullable String user) throws Exception {
        VsedClient client = new VsedClient(run.resolve("vsed.sock"));
        Map<String, @Nullable Object> submission = new LinkedHashMap<>();
        submission.put(
                "script", Map.of("name", "/bench/first.sh", "text", SCRIPT.replace("\n", "\n#VSE image=debian-12\n")));
        submission.put("args", List.of());
        submission.put("user", user);
        submission.put("cwd", user == null ? "/bench" : home(user));
        submission.put("environment", Map.of());
        submission.put("interactive", false);
        submission.put("image", null);
        submission.put("terminal", null);
        long begin = System.nanoTime();
        double seconds = -1;
        try (var answer = client.open(Request.post(Target.of("v1", "jobs"), Json.write(submission)))) {
            String id = Json.readObject(answer.line().orElseThrow()).text("job").orElseThrow();
            Target output = Target.of("v1", "jobs", id, "output", "stdout").with("follow", true);
            try (var stream = client.open(Request.get(output).withPatience(Duration.ofMinutes(2)))) {
                if (!stream.line().orElse("nothing").equals(FIRST_LINE)) {
                    throw new IllegalStateException("the script did not say its line");
                }
                seconds = (System.nanoTime() - begin) / 1e9;
            }
            boolean settled = false;
            while (!settled) {
                settled = answer.line().isEmpty();
            }
        }
        return seconds;
    }

    private double byHand(@Nullable String user) throws Exception {
        long begin = System.nanoTime();
        try (HandMadeGuest guest = HandMadeGuest.boot(commands, user, user == null ? null : Path.of(home(user)))) {
            guest.start(SCRIPT, FIRST_LINE, Instant.now().plusSeconds(60));
            return (System.nanoTime() - begin) / 1e9;
        }
    }

    private String home(String user) throws IOException {
        String[] fields = commands.run(Command.of("getent", "passwd", "--", user))
                .orThrow("looking for user " + user)
                .stdout()
                .strip()
                .split(":", -1);
        if (!Files.isDirectory(Path.of(fields[5]))) {
            throw new IOException("user " + user + " has no home");
        }
        return fields[5];
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
