package org.vse.job.cli;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.vse.job.Standing;
import org.vse.process.CommandRunner;

/** Runs the command line inside the test's process, with streams that are buffers. */
final class Shell {
    private final Path dir;
    private final Map<String, String> environment = new TreeMap<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private OutputStream stdout = out;
    private InputStream stdin = InputStream.nullInputStream();
    private Self self = new Self(List.of("/nonexistent/vse"));
    private DaemonEntry daemon = ready -> 0;

    /** @param dir becomes the current directory and holds {@code run}, {@code state} and {@code etc} */
    Shell(Path dir) {
        this.dir = dir;
        environment.put("VSE_RUN_DIR", dir.resolve("run").toString());
        environment.put("VSE_STATE_DIR", dir.resolve("state").toString());
        environment.put("VSE_CONFIG_DIR", dir.resolve("etc").toString());
    }

    Path socket() {
        return dir.resolve("run").resolve("vsed.sock");
    }

    Shell with(String name, String value) {
        environment.put(name, value);
        return this;
    }

    Shell stdout(OutputStream stream) {
        stdout = stream;
        return this;
    }

    Shell stdin(InputStream stream) {
        stdin = stream;
        return this;
    }

    Shell self(String... argv) {
        self = new Self(List.of(argv));
        return this;
    }

    Shell daemon(DaemonEntry entry) {
        daemon = entry;
        return this;
    }

    Context context() {
        return new Context(
                new Io(stdin, stdout, new Whole(err), false, false),
                environment,
                dir,
                Site.of(environment, Standing.uid(), () -> false),
                self,
                daemon,
                new CommandRunner(),
                Clock.systemUTC());
    }

    int run(String... arguments) {
        return Vse.run(context(), arguments);
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    byte[] outBytes() {
        return out.toByteArray();
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** Waits until standard error contains a text. */
    void awaitErr(String text) throws InterruptedException {
        synchronized (err) {
            while (!err().contains(text)) {
                err.wait();
            }
        }
    }

    /** Writes as a file descriptor does: each call whole. */
    private static final class Whole extends OutputStream {
        private final ByteArrayOutputStream to;

        private Whole(ByteArrayOutputStream to) {
            this.to = to;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            synchronized (to) {
                to.write(bytes, offset, length);
                to.notifyAll();
            }
        }
    }
}
