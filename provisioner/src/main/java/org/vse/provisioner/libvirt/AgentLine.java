package org.vse.provisioner.libvirt;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;
import org.vse.provisioner.VmName;

/**
 * Requests to guest agents. A request to a guest whose agent has not opened its port yet waits for libvirt to say that it has,
 * and asks again now and then: what libvirt finds at its own start it does not tell.
 */
final class AgentLine implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NOT_CONNECTED = "QEMU guest agent is not connected";
    /** How libvirt reports that the agent understood the request and answered with an error. */
    private static final String AGENT_SAID_NO = "unable to execute QEMU agent command";
    /** A libvirtd that was started again says nothing of an agent that it finds connected as before. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

    private final LibvirtSession session;
    private final ExecutorService callers = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "guest-agent");
        thread.setDaemon(true);
        return thread;
    });
    private long changes;

    AgentLine(LibvirtSession session) {
        this.session = session;
    }

    /** Something about some machine or its agent changed. Cheap; any thread. */
    synchronized void changed() {
        changes++;
        notifyAll();
    }

    /** {@link org.vse.provisioner.VmDriver#agent}; a request is sent at most once. */
    String ask(VmName name, String json, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        Future<String> reply = callers.submit(() -> askOnceConnected(name, json, end));
        try {
            return bounded(name, reply.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            reply.cancel(true);
            throw unresponsive(name, "no reply within " + timeout.toMillis() + " ms")
                    .because(e);
        } catch (InterruptedException e) {
            reply.cancel(true);
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while machine '" + name + "' was asked")
                    .because(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof VseException failure) {
                throw failure;
            }
            throw VseException.of(ErrorCode.INTERNAL, "asking the agent of machine '" + name + "' failed")
                    .because(e);
        }
    }

    @Override
    public void close() {
        callers.shutdownNow();
    }

    private String askOnceConnected(VmName name, String json, long end) throws InterruptedException {
        while (true) {
            long seen = changes();
            try {
                return send(name, json, end);
            } catch (LibvirtException e) {
                if (!LibvirtErrors.said(e).contains(NOT_CONNECTED)) {
                    return replyOrThrow(name, e);
                }
                if (!awaitChange(seen, end)) {
                    throw unresponsive(name, LibvirtErrors.said(e)).because(e);
                }
            }
        }
    }

    private String send(VmName name, String json, long end) throws LibvirtException {
        Connect connect = session.connection();
        Domain domain = connect.domainLookupByName(name.value());
        try {
            // libvirt counts whole seconds; the caller's own clock is the exact one.
            long millis = Math.max(1, (end - System.nanoTime()) / 1_000_000);
            int seconds = (int) Math.min(Integer.MAX_VALUE, (millis + 999) / 1000);
            return domain.qemuAgentCommand(json, seconds, 0);
        } finally {
            domain.free();
        }
    }

    private String replyOrThrow(VmName name, LibvirtException e) {
        String said = LibvirtErrors.said(e);
        if (said.contains(AGENT_SAID_NO)) {
            ObjectNode reply = JSON.createObjectNode();
            reply.putObject("error").put("class", "GenericError").put("desc", said);
            return reply.toString();
        }
        if (LibvirtErrors.is(e, ErrorNumber.VIR_ERR_NO_DOMAIN) || !exists(name)) {
            throw VseException.of(ErrorCode.GUEST_DIED, "machine '" + name + "' has ended")
                    .fact("libvirt", said)
                    .because(e);
        }
        boolean silent = LibvirtErrors.is(
                e,
                ErrorNumber.VIR_ERR_AGENT_UNRESPONSIVE,
                ErrorNumber.VIR_ERR_AGENT_UNSYNCED,
                ErrorNumber.VIR_ERR_OPERATION_TIMEOUT,
                ErrorNumber.VIR_ERR_OPERATION_INVALID,
                ErrorNumber.VIR_ERR_RESOURCE_BUSY);
        if (silent || said.contains("client socket is closed") || said.contains("End of file while reading")) {
            throw unresponsive(name, said).because(e);
        }
        throw VseException.of(ErrorCode.GUEST_PROTOCOL, "the agent of machine '" + name + "' answers nonsense")
                .fact("libvirt", said)
                .because(e);
    }

    private boolean exists(VmName name) {
        return session.repeatable("look for machine '" + name + "'", connect -> {
            try {
                connect.domainLookupByName(name.value()).free();
                return true;
            } catch (LibvirtException e) {
                if (LibvirtErrors.isGone(e)) {
                    return false;
                }
                throw e;
            }
        });
    }

    private static String bounded(VmName name, String reply) {
        long bytes =
                reply.length() > GuestReply.MAX_BYTES ? reply.length() : reply.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > GuestReply.MAX_BYTES) {
            throw VseException.of(ErrorCode.GUEST_PROTOCOL, "the agent of machine '" + name + "' says too much")
                    .fact("bytes", bytes)
                    .fact("allowed", GuestReply.MAX_BYTES);
        }
        return reply;
    }

    private static VseException unresponsive(VmName name, String why) {
        return VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "the agent of machine '" + name + "' does not answer")
                .fact("reason", why);
    }

    private synchronized long changes() {
        return changes;
    }

    /** Until something changed or it is worth asking again; false at {@code end}. */
    private synchronized boolean awaitChange(long seen, long end) throws InterruptedException {
        long again = Math.min(end, System.nanoTime() + ASK_AGAIN.toNanos());
        while (changes == seen) {
            long left = (again - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return again != end;
            }
            wait(left);
        }
        return true;
    }
}
