package org.vse.test.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.process.CommandRunner;
import org.vse.provisioner.guest.GuestJob;
import org.vse.provisioner.guest.PlainGuest;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.network.NetworkPlan;
import org.vse.provisioner.share.NfsShare;
import org.vse.provisioner.share.ShareServer;

/**
 * What a person does who wants a script to run in a guest with plain QEMU: an overlay, one QEMU command, for a share also a
 * network and a server, then one command through the agent that sets name and address, mounts the share and starts the
 * script as the user. The guest has the devices of a job's machine and runs on one core, as that does. No accounts, no
 * keys, no clock, nothing that could be taken up again after a crash.
 */
final class HandMadeGuest implements AutoCloseable {
    private final PlainGuest guest;
    private final JobNetwork network;
    private final NetworkPlan plan;
    private final boolean shared;
    private final String prepare;
    private final Path home;

    private HandMadeGuest(
            PlainGuest guest, JobNetwork network, NetworkPlan plan, boolean shared, String prepare, Path home) {
        this.guest = guest;
        this.network = network;
        this.plan = plan;
        this.shared = shared;
        this.prepare = prepare;
        this.home = home;
    }

    static HandMadeGuest boot(CommandRunner commands, @Nullable String user, @Nullable Path directory)
            throws IOException {
        if (user == null || directory == null) {
            return boot(commands, 0);
        }
        Path home = Files.createTempDirectory("vse-hand");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        JobNetwork network = new JobNetwork(commands, "hand");
        NetworkPlan plan = plan();
        int uid = (Integer) Files.getAttribute(directory, "unix:uid");
        int gid = (Integer) Files.getAttribute(directory, "unix:gid");
        network.openService(plan);
        new ShareServer(commands)
                .start(
                        new NfsShare(
                                plan.serviceNamespace(),
                                plan.serviceAddress(),
                                uid,
                                gid,
                                List.of(gid),
                                List.of(directory),
                                List.of()),
                        home);
        List<JobNetwork.Tap> taps = List.of(new JobNetwork.Tap(plan.tap(0), 0));
        network.openSwitch(plan, taps);
        PlainGuest guest = PlainGuest.boot(
                "-netdev",
                "tap,id=net,ifname=" + plan.tap(0) + ",script=no,downscript=no",
                "-device",
                "virtio-net-pci,netdev=net,mac=" + plan.mac(0));
        network.plug(plan, taps);
        String mount = "set -e; " + network(plan) + "mkdir -p " + directory
                + "; mount -i -t nfs4 -o vers=4.1,proto=tcp,port=2049,addr="
                + plan.serviceAddress() + ",clientaddr=" + plan.address(0) + " " + plan.serviceAddress() + ":/0 "
                + directory + "; cd " + directory + "; exec setpriv --reuid=" + uid + " --regid=" + gid
                + " --clear-groups";
        return new HandMadeGuest(guest, network, plan, true, mount, home);
    }

    /** Without a share, on a core of the host. */
    static HandMadeGuest boot(CommandRunner commands, int core) throws IOException {
        NetworkPlan plan = plan();
        PlainGuest guest = PlainGuest.bootOn(
                core, "-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net,mac=" + plan.mac(0));
        return new HandMadeGuest(
                guest,
                new JobNetwork(commands, "hand"),
                plan,
                false,
                network(plan) + "exec",
                Files.createTempDirectory("vse-hand"));
    }

    private static NetworkPlan plan() {
        byte[] random = new byte[6];
        ThreadLocalRandom.current().nextBytes(random);
        return new NetworkPlan(HexFormat.of().formatHex(random));
    }

    /** QEMU's process. */
    long pid() {
        return guest.pid();
    }

    private static String network(NetworkPlan plan) {
        return "hostname vm0; ip link set eth0 up; ip addr add " + plan.address(0) + "/" + plan.prefix()
                + " dev eth0; ";
    }

    /** Starts the script and returns when the host has its first line. */
    void start(String script, String firstLine, Instant deadline) throws IOException, InterruptedException {
        Path output = guest.file(GuestJob.STDOUT_PORT);
        Path directory = java.util.Objects.requireNonNull(output.getParent());
        String text = "cat > /run/job; chmod 755 /run/job; for p in /sys/class/virtio-ports/*; do"
                + " if [ \"$(cat $p/name)\" = " + GuestJob.STDOUT_PORT + " ]; then port=/dev/${p##*/}; fi; done;"
                + " { " + prepare + " setsid /run/job; } > $port < /dev/null & wait";
        try (GrowthWatch growth = new GrowthWatch()) {
            growth.add(directory);
            guest.control.exec(
                    List.of("/bin/sh", "-c", text),
                    script.getBytes(StandardCharsets.UTF_8),
                    Duration.ofSeconds(60),
                    65536);
            while (!Files.readString(output).startsWith(firstLine + "\n")) {
                if (Instant.now().isAfter(deadline)) {
                    throw new IOException("the script did not say its line");
                }
                growth.await(directory, growth.version(directory), 100);
            }
        }
    }

    @Override
    public void close() throws IOException {
        guest.close();
        if (shared) {
            network.closeSwitch(plan, List.of(new JobNetwork.Tap(plan.tap(0), 0)));
            network.closeService(plan);
        }
        try (var walk = Files.walk(home)) {
            for (Path path : new ArrayList<>(
                    walk.sorted(java.util.Comparator.reverseOrder()).toList())) {
                Files.deleteIfExists(path);
            }
        }
    }
}
