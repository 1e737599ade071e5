package org.vse.job.client;

import java.io.IOException;
import java.io.OutputStream;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Copies one output stream of a job, byte for byte, through any number of daemons: each request begins at the number of
 * bytes written so far, here or by who came before. Ends when as many bytes as the job wrote have been written here.
 */
public final class OutputCopy {
    private static final int MAX_FRUITLESS = 5;

    /** How to get a daemon back that has gone. */
    @FunctionalInterface
    public interface Return {
        /** Returns once a daemon answers again, or throws. */
        void await(String job);
    }

    private final VsedClient client;
    private final Return comeback;
    private final String job;
    private final String stream;
    private final OutputStream sink;
    private final Consumer<IOException> sinkBroken;
    private final Thread thread;
    private long written;
    private @Nullable OptionalLong total;
    private @Nullable VseException failure;

    /**
     * @param from byte of the stream at which {@code sink} begins
     * @param sinkBroken called when {@code sink} takes no more; nothing more is copied then
     */
    public OutputCopy(
            VsedClient client,
            Return comeback,
            String job,
            String stream,
            long from,
            OutputStream sink,
            Consumer<IOException> sinkBroken) {
        this.client = client;
        this.comeback = comeback;
        this.job = job;
        this.stream = stream;
        this.written = from;
        this.sink = sink;
        this.sinkBroken = sinkBroken;
        this.thread = new Thread(this::run, "output-" + stream);
        this.thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    /** @param bytes how much the job wrote; empty when nobody knows, so that an orderly end of the stream is the end */
    public synchronized void total(OptionalLong bytes) {
        if (total == null) {
            total = bytes;
            notifyAll();
        }
    }

    /** Waits for the last byte. */
    public void finish() throws InterruptedException {
        thread.join();
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void run() {
        try {
            int fruitless = 0;
            while (fruitless < MAX_FRUITLESS) {
                long before = written();
                boolean orderly = attempt();
                fruitless = written() > before ? 0 : fruitless + 1;
                if (orderly && complete()) {
                    return;
                }
                if (!orderly) {
                    comeback.await(job);
                }
            }
            throw VseException.of(ErrorCode.STORAGE_FAILED, stream + " of job " + job + " is incomplete")
                    .fact("here", written() + " bytes")
                    .fact("written", shownTotal())
                    .next("vse job logs " + job);
        } catch (IOException e) {
            sinkBroken.accept(e);
        } catch (VseException e) {
            synchronized (this) {
                failure = e;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean attempt() throws IOException {
        Target target = Target.of("v1", "jobs", job, "output", stream)
                .with("offset", written())
                .with("follow", true);
        try (Answer answer = client.open(Request.get(target))) {
            answer.copyTo(new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    sink.write(bytes, offset, length);
                    add(length);
                }
            });
            return true;
        } catch (VseException e) {
            if (e.code() == ErrorCode.DAEMON_UNREACHABLE) {
                return false;
            }
            throw e;
        }
    }

    /** After an orderly end of the stream: waits until the total is known, then compares. */
    private synchronized boolean complete() throws InterruptedException {
        while (total == null) {
            wait();
        }
        return total.isEmpty() || written >= total.getAsLong();
    }

    /** Bytes of the stream that have been written, from its beginning. */
    public long bytes() {
        return written();
    }

    private synchronized long written() {
        return written;
    }

    private synchronized void add(int length) {
        written += length;
    }

    private synchronized String shownTotal() {
        return total == null || total.isEmpty() ? "not known" : total.getAsLong() + " bytes";
    }
}
