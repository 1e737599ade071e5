package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.guest.PlainGuest;

/**
 * A job that adds one small package to its image, from the order to the first line of its script; beside who does it by hand:
 * apt-get download, a guest of plain QEMU, dpkg in it, qemu-img convert of what became of its disk, and a boot.
 */
final class DifferenceBench implements AutoCloseable {
    private static final String FIRST_LINE = "first";
    private static final String PACKAGE = "hello";
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MOST_OUTPUT = 1 << 20;

    private final CommandRunner commands;
    private final BenchDaemon daemon;
    private int number;

    DifferenceBench(CommandRunner commands, Path scratch) throws IOException {
        this.commands = commands;
        Path settings = Files.createDirectory(scratch.resolve("etc"));
        Files.writeString(settings.resolve("policy.yaml"), """
                queues:
                  local: { images: { allow: ["*"] }, packages: { allow: [hello] }, run: { allow: ["BENCH=*"] } }
                """);
        this.daemon = BenchDaemon.start(commands, settings);
    }

    /** A difference that the node does not have. */
    void made() {
        number++;
        kept();
    }

    /** The last one again. */
    void kept() {
        String script = "#!/bin/sh\n#VSE image=debian-12 packages=" + PACKAGE + " run=BENCH="
                + ProcessHandle.current().pid() + "." + number + "\necho " + FIRST_LINE + "\n";
        try (JobByVse job = JobByVse.order(daemon.client(), script, null, "/bench")) {
            job.awaitLine(FIRST_LINE);
        }
    }

    void madeByHand(Path at) throws IOException {
        commands.run(Command.of("apt-get", "-q", "download", PACKAGE)
                        .withCwd(at)
                        .withTimeout(PATIENCE))
                .orThrow("apt-get");
        byte[] archive;
        try (var files = Files.list(at)) {
            archive = Files.readAllBytes(files.findFirst().orElseThrow());
        }
        try (PlainGuest guest = PlainGuest.boot()) {
            String install = "cat >/root/a.deb && dpkg --install /root/a.deb && rm /root/a.deb && sync";
            int code = guest.control
                    .exec(List.of("/bin/sh", "-c", install), archive, PATIENCE, MOST_OUTPUT)
                    .exitCode();
            if (code != 0) {
                throw new IOException("dpkg ended with exit code " + code);
            }
            List<String> convert = List.of(
                    "qemu-img",
                    "convert",
                    "-U",
                    "-O",
                    "qcow2",
                    "-c",
                    "-o",
                    "compression_type=zstd",
                    guest.file("overlay").toString(),
                    at.resolve("disk.qcow2").toString());
            commands.run(Command.of(convert).withTimeout(PATIENCE)).orThrow("qemu-img");
        }
        bootByHand();
    }

    void bootByHand() throws IOException {
        try (HandMadeGuest guest = HandMadeGuest.boot(commands, 0)) {
            guest.start(
                    "#!/bin/sh\necho " + FIRST_LINE + "\n",
                    FIRST_LINE,
                    Instant.now().plus(PATIENCE));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        daemon.close();
    }
}
