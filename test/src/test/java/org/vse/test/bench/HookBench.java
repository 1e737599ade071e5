package org.vse.test.bench;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * The promises about the process of a hook: from its start until its call is with the daemon, and the most memory that it has
 * had by then. Beside it, in turn, a Java that does nothing. The promise is about the median.
 *
 * <p>{@code HookBench [RUNS]}
 */
public final class HookBench {
    private static final double PROMISE_MILLIS = 100;
    private static final double PROMISE_MIB = 50;
    private static final String REFUSAL =
            "{\"failure\":{\"code\":\"JOB_UNKNOWN\",\"what\":\"the bench has no job\",\"facts\":{}}}";

    private final CommandRunner commands = new CommandRunner();
    private final Path directory;
    private final ServerSocketChannel daemon;

    private HookBench(Path directory, ServerSocketChannel daemon) {
        this.directory = directory;
        this.daemon = daemon;
    }

    /** What one process took. */
    private record Took(double millis, double mebibytes) {}

    public static void main(String[] args) throws Exception {
        int runs = args.length > 0 ? Integer.parseInt(args[0]) : 21;
        Path directory = Files.createTempDirectory("vh");
        boolean kept = true;
        try (ServerSocketChannel daemon = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            daemon.bind(UnixDomainSocketAddress.of(directory.resolve("vsed.sock")));
            HookBench bench = new HookBench(directory, daemon);
            for (String point : List.of("prologue", "starter", "epilogue")) {
                kept &= bench.measure(point, runs);
            }
        } finally {
            for (String left : List.of("vsed.sock", "log", "script")) {
                Files.deleteIfExists(directory.resolve(left));
            }
            Files.delete(directory);
        }
        System.exit(kept ? 0 : 1);
    }

    private boolean measure(String point, int runs) throws Exception {
        hook(point);
        double[] millis = new double[runs];
        double[] memory = new double[runs];
        double[] bare = new double[runs];
        for (int i = 0; i < runs; i++) {
            Took took = hook(point);
            millis[i] = took.millis();
            memory[i] = took.mebibytes();
            bare[i] = bareJava();
        }
        double time = Numbers.median(millis);
        double most = Numbers.median(memory);
        System.out.printf(
                Locale.ROOT,
                "%s: median of %d: %.0f ms, %.1f times a Java that does nothing (%.0f ms), %.0f MiB"
                        + " (promise: at most %.0f ms, %.0f MiB)%n",
                point,
                runs,
                time,
                time / Numbers.median(bare),
                Numbers.median(bare),
                most,
                PROMISE_MILLIS,
                PROMISE_MIB);
        return time <= PROMISE_MILLIS && most <= PROMISE_MIB;
    }

    private Took hook(String point) throws Exception {
        Path script = Files.writeString(directory.resolve("script"), "#!/bin/sh\n");
        Command command = Command.of(
                        System.getProperty("vse.launcher", "./vse"),
                        "hook",
                        point,
                        "--scheduler",
                        "slurm",
                        "--run",
                        directory.toString(),
                        "--",
                        script.toString())
                .withEnv(Map.of(
                        "SLURM_JOB_ID", "1",
                        "SLURM_JOB_UID", "0",
                        "SLURM_JOB_RESTART_COUNT", "0"));
        long begin = System.nanoTime();
        Process process = commands.start(command, directory.resolve("log"));
        try (SocketChannel call = daemon.accept()) {
            ByteBuffer some = ByteBuffer.allocate(1 << 16);
            if (call.read(some) <= 0) {
                throw new IOException("the hook did not call");
            }
            double millis = (System.nanoTime() - begin) / 1e6;
            double memory = mostMemory(process.pid());
            answer(call);
            process.waitFor();
            return new Took(millis, memory);
        }
    }

    private static void answer(SocketChannel call) throws IOException {
        String answer = "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: " + REFUSAL.length()
                + "\r\nConnection: close\r\n\r\n" + REFUSAL;
        ByteBuffer bytes = ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            call.write(bytes);
        }
    }

    /** Resident memory at its highest so far, MiB (proc(5), VmHWM). */
    private static double mostMemory(long pid) throws IOException {
        String line = Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
                .filter(each -> each.startsWith("VmHWM:"))
                .findFirst()
                .orElseThrow(() -> new IOException("no VmHWM"));
        return Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024;
    }

    private double bareJava() {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        return commands.run(Command.of(java.toString(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-version"))
                        .orThrow("starting a Java that does nothing")
                        .took()
                        .toNanos()
                / 1e6;
    }
}
