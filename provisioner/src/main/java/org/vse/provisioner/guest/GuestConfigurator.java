package org.vse.provisioner.guest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/** Makes a guest what a {@link GuestSetup} says, by one run of one fixed script. May be applied again. */
public final class GuestConfigurator {
    private static final int MAX_OUTPUT_BYTES = 256 << 10;
    private static final Pattern STEP = Pattern.compile("[a-z]{1,16}");

    private final Duration mountTimeout;
    private final Duration timeout;

    /**
     * @param mountTimeout for each mount, at least a second
     * @param timeout for the whole
     */
    public GuestConfigurator(Duration mountTimeout, Duration timeout) {
        this.mountTimeout = mountTimeout;
        this.timeout = timeout;
    }

    /**
     * @throws VseException GUEST_SETUP_FAILED with the step that failed, its exit code and its own words;
     *     GUEST_UNRESPONSIVE when the guest does not finish in time
     */
    public void apply(GuestControl guest, GuestSetup setup) {
        List<String> arguments = new ArrayList<>(List.of("vse-setup"));
        arguments.addAll(arguments(setup, mountTimeout));
        byte[] stdin = setup.key()
                .map(key -> key.privateKey().getBytes(StandardCharsets.US_ASCII))
                .orElse(new byte[0]);
        require(GuestShell.runTelling(guest, GuestScripts.SETUP, arguments, stdin, timeout, MAX_OUTPUT_BYTES));
    }

    /**
     * Starts the ssh server of a guest that was set up; a machine that is alone has none until somebody asks.
     *
     * @throws VseException as {@link #apply}
     */
    public void startSsh(GuestControl guest) {
        require(GuestShell.run(
                guest, GuestScripts.SETUP, List.of("vse-setup", "sshd"), new byte[0], timeout, MAX_OUTPUT_BYTES));
    }

    /**
     * Tells a guest that goes on from its saved memory what has changed meanwhile.
     *
     * @param now what its clock is to show
     * @param entropy bytes that nobody has seen, at least 32
     * @throws VseException as {@link #apply}
     */
    public void wake(GuestControl guest, Instant now, byte[] entropy) {
        List<String> arguments = List.of(
                "vse-setup",
                "clock",
                GuestClock.seconds(now),
                "entropy",
                HexFormat.of().formatHex(entropy));
        require(GuestShell.run(guest, GuestScripts.SETUP, arguments, new byte[0], timeout, MAX_OUTPUT_BYTES));
    }

    private static void require(GuestResult result) {
        if (result.exitCode() != 0) {
            throw VseException.of(
                            ErrorCode.GUEST_SETUP_FAILED,
                            "preparing the guest failed at step '" + lastStep(result.stdout()) + "'")
                    .fact("exit code", result.exitCode())
                    .fact("said", Excerpt.lines(result.stderr(), 8));
        }
    }

    /** The script's arguments: each step's name and its fixed number of values, in the order in which they are done. */
    static List<String> arguments(GuestSetup setup, Duration mountTimeout) {
        List<String> steps = new ArrayList<>();
        add(steps, "clock", GuestClock.seconds(setup.clock()));
        add(steps, "hostname", setup.hostname());
        setup.hosts().forEach(host -> add(steps, "host", host.address(), String.join(" ", host.names())));
        add(steps, "hosts");
        GuestAccount user = setup.user();
        user.groups().forEach(group -> add(steps, "group", group.name(), Integer.toString(group.gid())));
        add(
                steps,
                "user",
                user.name(),
                Integer.toString(user.uid()),
                Integer.toString(user.gid()),
                user.home(),
                user.shell());
        setup.nic()
                .ifPresent(nic -> add(
                        steps, "nic", nic.mac(), nic.address(), nic.gateway().orElse(""), Integer.toString(nic.mtu())));
        String seconds = Long.toString(Math.max(1, mountTimeout.toSeconds()));
        setup.mounts()
                .forEach(share ->
                        add(steps, "mount", share.type(), share.options(), share.source(), share.target(), seconds));
        add(steps, "directory", user.home());
        setup.directories().forEach(directory -> add(steps, "directory", directory));
        if (!setup.nodes().isEmpty()) {
            add(steps, "nodes", String.join("\n", setup.nodes()));
        }
        setup.key().ifPresent(key -> add(steps, "key", key.publicKey()));
        if (setup.key().isPresent() && setup.hosts().size() > 1) {
            add(steps, "sshd");
        }
        if (!setup.role().isEmpty()) {
            add(steps, "role", setup.role());
        }
        setup.services().forEach(service -> add(steps, "service", service));
        add(steps, "tell");
        return steps;
    }

    private static void add(List<String> steps, String step, String... values) {
        steps.add(step);
        steps.addAll(List.of(values));
    }

    private static String lastStep(String stdout) {
        String last = stdout.lines().reduce("", (before, line) -> line);
        return STEP.matcher(last).matches() ? last : "start";
    }
}
