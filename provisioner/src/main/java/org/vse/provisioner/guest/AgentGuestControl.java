package org.vse.provisioner.guest;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Control through qemu-guest-agent (QEMU documentation, "QEMU Guest Agent Protocol Reference"). Needs guest-ping,
 * guest-exec and guest-exec-status in the guest; distributions that block them by default must be told otherwise in the
 * image.
 */
public final class AgentGuestControl implements GuestControl {
    /** Longest wait for one guest-ping: an agent that has just started may never see a request sent before. */
    private static final Duration PING = Duration.ofSeconds(1);

    private static final Duration CLOCK = Duration.ofSeconds(10);
    /** PID_MAX_LIMIT of a 64-bit Linux (proc(5), pid_max). */
    private static final long MAX_PID = 1 << 22;

    private static final int MAX_SIGNAL = 64;
    /** VIR_NET_MESSAGE_STRING_MAX of libvirt less its final NUL and some room. */
    private static final int MAX_REQUEST_BYTES = (4 << 20) - 4096;

    /** Between two looks at the control port; looking costs the guest nothing. */
    private static final long LOOK_NANOS = 2_000_000;

    /** Longest trust in a program's own word. */
    private static final Duration TOLD = Duration.ofMillis(500);

    private final AgentTransport transport;
    private final LongSupplier told;
    private final JsonMapper json = JsonMapper.builder().build();

    public AgentGuestControl(AgentTransport transport) {
        this(transport, () -> 0);
    }

    /** @param told bytes that the guest has written to its port {@value ControlRecords#PORT} so far */
    public AgentGuestControl(AgentTransport transport, LongSupplier told) {
        this.transport = transport;
        this.told = told;
    }

    @Override
    public void awaitReady(Instant deadline) {
        long end = System.nanoTime() + Duration.between(Instant.now(), deadline).toNanos();
        Backoff backoff = new Backoff(Duration.ofMillis(10), Duration.ofMillis(50));
        String request = request("guest-ping").toString();
        Optional<VseException> last = Optional.empty();
        for (long left; (left = end - System.nanoTime()) > 0; backoff.pause(end)) {
            try {
                if (AgentReply.parse(transport.request(request, least(PING, Duration.ofNanos(left))))
                        instanceof AgentReply.Refusal refusal) {
                    throw refused("guest-ping", refusal);
                }
                return;
            } catch (VseException e) {
                if (e.code() != ErrorCode.GUEST_UNRESPONSIVE) {
                    throw e;
                }
                last = Optional.of(e);
            }
        }
        VseException timeout = VseException.of(
                        ErrorCode.BOOT_TIMEOUT, "the guest's agent did not answer by '" + deadline + "'")
                .next("look at the machine's boot console; the image must start qemu-guest-agent");
        last.ifPresent(e -> timeout.fact("last attempt", e.what()).because(e));
        throw timeout;
    }

    @Override
    public GuestResult exec(List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes) {
        Backoff backoff = new Backoff(Duration.ofMillis(5), Duration.ofMillis(50));
        return exec(argv, stdin, timeout, maxOutputBytes, backoff::pause);
    }

    @Override
    public GuestResult execTelling(List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes) {
        long before = told.getAsLong();
        Backoff backoff = new Backoff(Duration.ofMillis(5), Duration.ofMillis(50));
        return exec(argv, stdin, timeout, maxOutputBytes, end -> {
            if (told.getAsLong() > before) {
                backoff.pause(end);
                return;
            }
            long trust = Math.min(end, System.nanoTime() + TOLD.toNanos());
            while (told.getAsLong() == before && System.nanoTime() - trust < 0) {
                Backoff.sleep(LOOK_NANOS);
            }
        });
    }

    private GuestResult exec(
            List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes, LongConsumer pause) {
        if (argv.isEmpty() || !argv.get(0).startsWith("/")) {
            throw new IllegalArgumentException("not a program with its absolute path: " + argv);
        }
        if (stdin.length > MAX_STDIN_BYTES) {
            throw new IllegalArgumentException("standard input of " + stdin.length + " bytes");
        }
        long end = System.nanoTime() + timeout.toNanos();
        String program = argv.get(0);
        long pid = launch(argv, stdin, end);
        ObjectNode ask = request("guest-exec-status");
        ask.putObject("arguments").put("pid", pid);
        while (true) {
            pause.accept(end);
            if (System.nanoTime() - end >= 0) {
                break;
            }
            AgentReply reply = ask(ask, end);
            if (reply instanceof AgentReply.Refusal refusal) {
                throw VseException.of(
                                ErrorCode.GUEST_UNRESPONSIVE,
                                "the guest's agent was started anew while '" + program + "' ran")
                        .fact("agent", Excerpt.of(refusal.description()));
            }
            AgentReply.Return status = (AgentReply.Return) reply;
            if (status.flag("exited", false)) {
                return new GuestResult(
                        exitCode(status), output(status, "out", maxOutputBytes), output(status, "err", maxOutputBytes));
            }
        }
        throw VseException.of(
                        ErrorCode.GUEST_UNRESPONSIVE,
                        "'" + program + "' did not end within " + timeout.toMillis() + " ms in the guest")
                .fact("pid", pid);
    }

    @Override
    public void setClock(Instant now) {
        // guest-set-time also runs hwclock, which small images lack and which costs more than all the rest.
        GuestResult result =
                exec(List.of("/bin/date", "-u", "-s", "@" + GuestClock.seconds(now)), new byte[0], CLOCK, 1 << 12);
        if (result.exitCode() != 0) {
            throw VseException.of(ErrorCode.GUEST_SETUP_FAILED, "setting the guest's clock failed")
                    .fact("exit code", result.exitCode())
                    .fact("said", Excerpt.lines(result.stderr(), 4));
        }
    }

    private long launch(List<String> argv, byte[] stdin, long end) {
        ObjectNode request = request("guest-exec");
        ObjectNode arguments = request.putObject("arguments");
        arguments.put("path", argv.get(0));
        argv.subList(1, argv.size()).forEach(arguments.putArray("arg")::add);
        if (stdin.length > 0) {
            arguments.put("input-data", Base64.getEncoder().encodeToString(stdin));
        }
        arguments.put("capture-output", true);
        AgentReply reply = ask(request, end);
        if (reply instanceof AgentReply.Refusal refusal) {
            throw refused("guest-exec", refusal).fact("program", argv.get(0));
        }
        return ((AgentReply.Return) reply).integer("pid", 1, MAX_PID);
    }

    private AgentReply ask(ObjectNode request, long end) {
        Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
        String text = request.toString();
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_REQUEST_BYTES) {
            throw VseException.of(ErrorCode.JOB_TOO_LARGE, "the request is more than the guest's agent can be sent")
                    .fact("limit", MAX_REQUEST_BYTES + " bytes")
                    .fact("found", length + " bytes");
        }
        return AgentReply.parse(transport.request(text, left));
    }

    private ObjectNode request(String command) {
        return json.createObjectNode().put("execute", command);
    }

    private static int exitCode(AgentReply.Return status) {
        if (status.has("signal")) {
            return 128 + (int) status.integer("signal", 1, MAX_SIGNAL);
        }
        return (int) status.integer("exitcode", 0, 255);
    }

    private static String output(AgentReply.Return status, String stream, int most) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder()
                    .decode(status.string(stream + "-data").orElse("").getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw VseException.of(ErrorCode.GUEST_PROTOCOL, "the guest's agent answered something else than expected")
                    .fact("expected", "'" + stream + "-data' in base64")
                    .fact("found", Excerpt.of(status.text()))
                    .because(e);
        }
        if (bytes.length > most || status.flag(stream + "-truncated", false)) {
            throw VseException.of(ErrorCode.GUEST_PROTOCOL, "a program in the guest said more than it may")
                    .fact("expected", "at most " + most + " bytes of std" + stream)
                    .fact("found", bytes.length + " bytes or more");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static VseException refused(String command, AgentReply.Refusal refusal) {
        return VseException.of(ErrorCode.GUEST_SETUP_FAILED, "the guest's agent refused '" + command + "'")
                .fact("agent", Excerpt.of(refusal.errorClass() + ": " + refusal.description()))
                .next("allow " + command + " in the image's agent configuration, and check that the program is there");
    }

    private static Duration least(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
