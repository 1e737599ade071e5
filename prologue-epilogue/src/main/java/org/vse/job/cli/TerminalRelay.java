package org.vse.job.cli;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.JsonObject;
import org.vse.job.client.RawConnection;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;

/**
 * Relays the terminal of an interactive job: what is typed goes there, what it shows comes here. When the daemon goes away
 * the relay attaches to the next one; what is typed meanwhile waits. The end of what is typed is typed as Ctrl-D.
 */
final class TerminalRelay implements JobAttachment.Carrier {
    private static final int MAX_FRUITLESS = 5;

    /** Ctrl-D: a terminal has no other end, and a closed connection would be a terminal that was pulled out. */
    private static final byte[] END_OF_INPUT = {4};

    private final VsedClient client;
    private final Comeback comeback;
    private final Io io;
    private final Thread receiver = new Thread(this::receive, "terminal-out");
    private final Thread sender = new Thread(this::send, "terminal-in");
    private String job = "";
    private @Nullable RawConnection connection;
    private @Nullable VseException failure;
    private boolean ended;
    private long received;

    TerminalRelay(VsedClient client, Comeback comeback, Io io) {
        this.client = client;
        this.comeback = comeback;
        this.io = io;
        receiver.setDaemon(true);
        sender.setDaemon(true);
    }

    @Override
    public void start(String id) {
        job = id;
        receiver.start();
        sender.start();
    }

    @Override
    public synchronized void ended(Optional<JsonObject> bytes) {
        ended = true;
        notifyAll();
    }

    @Override
    public void finish() throws InterruptedException {
        receiver.join();
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void receive() {
        int fruitless = 0;
        while (fruitless < MAX_FRUITLESS) {
            long before = received;
            try (RawConnection raw = client.upgrade(Request.upgrade(Target.of("v1", "jobs", job, "terminal")))) {
                attach(raw);
                copy(raw);
            } catch (VseException e) {
                if (e.code() == ErrorCode.JOB_STATE) {
                    return;
                }
                if (e.code() != ErrorCode.DAEMON_UNREACHABLE) {
                    fail(e);
                    return;
                }
            } catch (IOException e) {
                fail(VseException.of(ErrorCode.INTERNAL, "the terminal cannot be written")
                        .fact("reason", String.valueOf(e.getMessage()))
                        .because(e));
                return;
            }
            fruitless = received > before ? 0 : fruitless + 1;
            try {
                if (over()) {
                    return;
                }
                comeback.await(job);
            } catch (VseException e) {
                fail(e);
                return;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        fail(VseException.of(ErrorCode.DAEMON_UNREACHABLE, "vsed gives no terminal for job " + job)
                .next("vse job show " + job));
    }

    private void copy(RawConnection raw) throws IOException {
        byte[] buffer = new byte[1 << 16];
        while (true) {
            int length;
            try {
                length = raw.in().read(buffer, 0, buffer.length);
            } catch (IOException e) {
                return;
            }
            if (length < 0) {
                return;
            }
            received += length;
            io.out().write(buffer, 0, length);
        }
    }

    private void send() {
        byte[] buffer = new byte[1 << 12];
        try {
            for (int length; (length = io.in().read(buffer)) >= 0; ) {
                deliver(buffer, length);
            }
            deliver(END_OF_INPUT, END_OF_INPUT.length);
        } catch (IOException e) {
            io.say("vse: standard input cannot be read: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void deliver(byte[] bytes, int length) throws InterruptedException {
        RawConnection tried = null;
        while (true) {
            RawConnection to = connectionAfter(tried);
            if (to == null) {
                return;
            }
            try {
                to.write(bytes, 0, length);
                return;
            } catch (IOException e) {
                // The daemon went away: the receiver attaches to the next one.
                tried = to;
            }
        }
    }

    /** @return {@code null} when the job has ended */
    private synchronized @Nullable RawConnection connectionAfter(@Nullable RawConnection tried)
            throws InterruptedException {
        while (!ended && (connection == null || connection == tried)) {
            wait();
        }
        return ended ? null : connection;
    }

    private synchronized void attach(RawConnection raw) {
        connection = raw;
        notifyAll();
    }

    /** After the connection ended: waits a moment for the news that the job has, too. */
    private synchronized boolean over() throws InterruptedException {
        long end = System.nanoTime() + 500_000_000L;
        for (long left = 500; !ended && left > 0; left = (end - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
        return ended;
    }

    /** A shell without a terminal is of no use to anybody: the job is cancelled. */
    private void fail(VseException e) {
        synchronized (this) {
            failure = e;
        }
        try {
            client.call(Request.post(Target.of("v1", "jobs", job, "cancel"), "{}"));
        } catch (VseException uncancelled) {
            e.addSuppressed(uncancelled);
        }
    }
}
