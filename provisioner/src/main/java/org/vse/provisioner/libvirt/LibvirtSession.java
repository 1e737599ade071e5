package org.vse.provisioner.libvirt;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.LibvirtException;
import org.libvirt.event.AgentLifecycleListener;
import org.libvirt.event.ConnectionCloseListener;
import org.libvirt.event.LifecycleListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;

/**
 * The connection to our libvirtd: opened at the first call, opened again when the daemon ended, with the daemon started again
 * if need be. A daemon that hangs is noticed by libvirt's keep-alive within {@value #KEEPALIVE_SECONDS} × {@value
 * #KEEPALIVE_COUNT} s; calls under way then fail.
 */
final class LibvirtSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LibvirtSession.class);
    private static final int KEEPALIVE_SECONDS = 5;
    private static final int KEEPALIVE_COUNT = 3;
    private static final long OPEN_TIMEOUT_SECONDS = 30;
    /** Between attempts to bring back a lost connection; doubled after each, up to the longest. */
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(32);

    private final PrivateLibvirtd daemon;
    private final Observer observer;
    private final ExecutorService opener = Executors.newCachedThreadPool(LibvirtSession::daemonThread);
    private final LifecycleListener lifecycle;
    private final AgentLifecycleListener agents;
    private final ConnectionCloseListener closed;

    private @Nullable Connect connect;
    /** libvirt may still call back into the last lost connection's listeners; it must stay reachable. */
    @SuppressWarnings("UnusedVariable")
    private @Nullable Connect lost;

    private boolean ended;

    /** What the session tells. Called from libvirt's event thread, except {@link #connected}. */
    interface Observer {
        /** A new connection; events flow already. What happened before it was not told. */
        void connected(Connect connect) throws LibvirtException;

        void lifecycle(Domain domain, org.libvirt.event.DomainEvent event) throws LibvirtException;

        void agent(Domain domain) throws LibvirtException;
    }

    /** A call to libvirt. */
    @FunctionalInterface
    interface Call<T> {
        T on(Connect connect) throws LibvirtException;
    }

    LibvirtSession(PrivateLibvirtd daemon, Observer observer) {
        this.daemon = daemon;
        this.observer = observer;
        this.lifecycle = (domain, event) -> {
            tell(domain, () -> observer.lifecycle(domain, event));
            return 0;
        };
        this.agents = (domain, state, reason) -> tell(domain, () -> observer.agent(domain));
        this.closed = (connection, reason) -> {
            LOG.info("the connection to libvirtd was closed: {}", reason);
            try {
                opener.execute(() -> reopen(FIRST_PAUSE));
            } catch (RejectedExecutionException e) {
                LOG.debug("closed for good", e);
            }
        };
    }

    /** Calls libvirt; when the daemon ended meanwhile, calls once more. For calls that may be repeated. */
    <T> T repeatable(String doing, Call<T> call) {
        Connect first = connection();
        try {
            return call.on(first);
        } catch (LibvirtException e) {
            if (isAlive(first)) {
                throw LibvirtErrors.failed(doing, e);
            }
            LOG.info("libvirtd ended while asked to {}: {}", doing, LibvirtErrors.said(e));
        }
        try {
            return call.on(connection());
        } catch (LibvirtException e) {
            throw LibvirtErrors.failed(doing, e);
        }
    }

    /** Calls libvirt once. */
    <T> T once(Call<T> call) throws LibvirtException {
        return call.on(connection());
    }

    /** The living connection, opened now if there is none. */
    synchronized Connect connection() {
        if (ended) {
            throw new IllegalStateException("the driver is closed");
        }
        Connect current = connect;
        if (current != null && isAlive(current)) {
            return current;
        }
        if (current != null) {
            release(current);
            lost = current;
            connect = null;
        }
        EventLoop.ensureRunning();
        daemon.ensureRunning();
        Connect opened = open();
        try {
            opened.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
            opened.registerCloseListener(closed);
            opened.addLifecycleListener(lifecycle);
            opened.addAgentLifecycleListener(agents);
            observer.connected(opened);
        } catch (LibvirtException e) {
            release(opened);
            throw LibvirtErrors.failed("be asked for its machines", e);
        }
        connect = opened;
        // A new libvirtd learns what QEMU can do when first asked; better now than in the first start of a machine.
        opener.execute(() -> quietly(opened::getCapabilities));
        return opened;
    }

    /** Whether the daemon is there to answer on this connection. */
    static boolean isAlive(Connect connect) {
        try {
            return connect.isAlive();
        } catch (LibvirtException e) {
            return false;
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            ended = true;
            if (connect != null) {
                release(connect);
                lost = connect;
                connect = null;
            }
        }
        opener.shutdownNow();
    }

    /** Opening blocks without end when the daemon hangs; hence on another thread. */
    private Connect open() {
        Future<Connect> opening = opener.submit(() -> new Connect(daemon.uri().toString()));
        try {
            return opening.get(OPEN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw VseException.of(
                            ErrorCode.LIBVIRT_FAILED,
                            "our libvirtd does not answer within " + OPEN_TIMEOUT_SECONDS + " s")
                    .fact("socket", daemon.directories().socket())
                    .fact(
                            "process",
                            daemon.identity()
                                    .map(ProcessIdentity::pid)
                                    .map(String::valueOf)
                                    .orElse("none"))
                    .fact("log", daemon.directories().daemonLog())
                    .next("end that process: the next call starts another, machines go on")
                    .because(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LibvirtException refused) {
                throw LibvirtErrors.failed("be reached", refused)
                        .fact("socket", daemon.directories().socket())
                        .fact("log", daemon.directories().daemonLog());
            }
            throw VseException.of(ErrorCode.INTERNAL, "opening a connection to libvirtd failed")
                    .because(e);
        } catch (InterruptedException e) {
            opening.cancel(true);
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while connecting to libvirtd")
                    .because(e);
        }
    }

    /** Until it works or the session is closed: while nobody listens, no machine's end is heard. */
    private void reopen(Duration pause) {
        synchronized (this) {
            if (ended) {
                return;
            }
        }
        try {
            connection();
        } catch (VseException e) {
            LOG.error("libvirtd is gone; it is brought back by the next call, or in {} s", pause.toSeconds(), e);
            Duration next = pause.compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : pause;
            CompletableFuture.delayedExecutor(pause.toSeconds(), TimeUnit.SECONDS, opener)
                    .execute(() -> reopen(next));
        }
    }

    /**
     * Closes a connection. Its listeners go first: libvirt calls them for as long as it knows them, on a closed connection
     * too. Of a lost connection each call fails, and still ends what this side remembers.
     */
    private void release(Connect connect) {
        quietly(() -> connect.removeLifecycleListener(lifecycle));
        quietly(() -> connect.removeAgentLifecycleListener(agents));
        quietly(connect::unregisterCloseListener);
        quietly(connect::close);
    }

    private static void quietly(Telling closing) {
        try {
            closing.tell();
        } catch (LibvirtException e) {
            LOG.debug("while closing a connection to libvirtd: {}", LibvirtErrors.said(e));
        }
    }

    private void tell(Domain domain, Telling telling) {
        try {
            telling.tell();
            domain.free();
        } catch (LibvirtException | RuntimeException e) {
            LOG.error("an event of libvirt was not understood", e);
        }
    }

    @FunctionalInterface
    private interface Telling {
        void tell() throws LibvirtException;
    }

    private static Thread daemonThread(Runnable work) {
        Thread thread = new Thread(work, "libvirt-session");
        thread.setDaemon(true);
        return thread;
    }
}
