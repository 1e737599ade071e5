package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.process.Command;

/**
 * A root directory as an ext4 file system in a qcow2 file, without mounting anything. Equal trees give equal bytes:
 * identifiers come from the image's name and all times are {@link ImageBuilder#EPOCH}.
 *
 * <p>There is no journal: a machine's disk never outlives an unclean end of the machine.
 */
final class RootDisk {
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final Pattern INODES = Pattern.compile("(?m)^Inode count:\\s+(\\d+)$");
    private static final Pattern FREE_INODES = Pattern.compile("(?m)^Free inodes:\\s+(\\d+)$");

    /** Inodes below are the file system's own; 11 is lost+found. */
    private static final int FIRST_INODE = 11;

    private static final int ROOT_INODE = 2;

    private RootDisk() {}

    static void write(String imageName, Path root, long sizeBytes, Path scratch, Path to, BuildLog log)
            throws IOException {
        Path raw = scratch.resolve("disk.raw");
        String id = UUID.nameUUIDFromBytes(imageName.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .toString();
        Map<String, String> time = Map.of(
                "E2FSPROGS_FAKE_TIME", Long.toString(ImageBuilder.EPOCH),
                "SOURCE_DATE_EPOCH", Long.toString(ImageBuilder.EPOCH));
        Command make = Command.of(
                        "mke2fs",
                        "-q",
                        "-t",
                        "ext4",
                        "-O",
                        "^has_journal",
                        "-m",
                        "0",
                        "-L",
                        "vse-root",
                        "-U",
                        id,
                        "-E",
                        "root_owner=0:0,hash_seed=" + id,
                        "-d",
                        root.toString(),
                        raw.toString(),
                        (sizeBytes >> 10) + "k")
                .withEnv(time)
                .withTimeout(LONG);
        log.run("making the file system", make);
        log.run("setting times", settingTimes(raw, log).withEnv(time));
        log.run(
                "writing the disk",
                LONG,
                "qemu-img",
                "convert",
                "-f",
                "raw",
                "-O",
                "qcow2",
                "-c",
                "-o",
                "compression_type=zstd",
                raw.toString(),
                to.toString());
        Files.delete(raw);
    }

    /** mke2fs copies the change times of the tree, which are of this moment. */
    private static Command settingTimes(Path raw, BuildLog log) {
        String header = log.run("reading the file system", LONG, "dumpe2fs", "-h", raw.toString())
                .stdout();
        long last = number(INODES, header, log) - number(FREE_INODES, header, log);
        StringBuilder script = new StringBuilder();
        times(script, ROOT_INODE);
        for (long inode = FIRST_INODE; inode <= last; inode++) {
            times(script, inode);
        }
        // It repeats every line of the script on its output; only the end of that is of use.
        return new Command(
                List.of("debugfs", "-w", "-f", "-", raw.toString()), Map.of(), null, script.toString(), LONG, 4096);
    }

    private static void times(StringBuilder script, long inode) {
        for (String field : new String[] {"ctime", "atime", "crtime"}) {
            script.append("sif <")
                    .append(inode)
                    .append("> ")
                    .append(field)
                    .append(" @")
                    .append(ImageBuilder.EPOCH)
                    .append('\n');
        }
    }

    private static long number(Pattern pattern, String text, BuildLog log) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw log.failed("dumpe2fs said something unexpected");
        }
        return Long.parseLong(matcher.group(1));
    }
}
