package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
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
    private final BenchDaemon daemon;

    private StartBench(BenchDaemon daemon) {
        this.daemon = daemon;
    }

    public static void main(String[] args) throws Exception {
        int pairs = args.length > 0 ? Integer.parseInt(args[0]) : 7;
        @Nullable String user = args.length > 1 ? args[1] : null;
        if (pairs < 7) {
            throw new IllegalArgumentException("at least 7 pairs");
        }
        boolean kept;
        try (BenchDaemon daemon = BenchDaemon.start(new CommandRunner(), Path.of("/etc/vse"))) {
            kept = new StartBench(daemon).compare(pairs, user);
        }
        System.exit(kept ? 0 : 1);
    }

    private boolean compare(int pairs, @Nullable String user) throws Exception {
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
        double difference = Numbers.median(more);
        System.out.printf(
                Locale.ROOT,
                "median of %d pairs, %s: by hand %.2f s, vse %.2f s, ratio %.2f, difference %+.2f s (promise: at most %+.2f s)%n",
                pairs,
                user == null ? "no share" : "home of " + user + " by NFS",
                Numbers.median(hand),
                Numbers.median(ours),
                Numbers.median(ours) / Numbers.median(hand),
                difference,
                PROMISE_SECONDS);
        return difference <= PROMISE_SECONDS;
    }

    /** Seconds from the order to the first line, through the daemon's socket as a hook speaks to it. */
    private double byVse(@Nullable String user) throws Exception {
        long begin = System.nanoTime();
        try (JobByVse job = JobByVse.order(
                daemon.client(),
                SCRIPT.replace("\n", "\n#VSE image=debian-12\n"),
                user,
                user == null ? "/bench" : home(user))) {
            job.awaitLine(FIRST_LINE);
            return (System.nanoTime() - begin) / 1e9;
        }
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
}
