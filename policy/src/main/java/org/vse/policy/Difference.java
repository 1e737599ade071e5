package org.vse.policy;

import java.util.List;

/**
 * What a job's VMs have that their image does not. It is made when the job starts, before they boot, in this order: packages,
 * files, commands.
 *
 * @param packages names to install; with {@code -} before it, to remove
 * @param files in the order written
 * @param run commands for the guest's shell, run as root of it in the order written
 * @param seconds that making it may take
 * @param bytes that it may add: of packages and files, and of the disk
 */
public record Difference(List<String> packages, List<FileChange> files, List<String> run, int seconds, long bytes) {
    /** What a build may take where nobody says it. */
    static final int SECONDS = 600;

    static final long BYTES = 256 * ByteSize.MIB;

    /** No difference. */
    public static final Difference NONE = new Difference(List.of(), List.of(), List.of(), SECONDS, BYTES);

    public Difference {
        packages = List.copyOf(packages);
        files = List.copyOf(files);
        run = List.copyOf(run);
        if (seconds < 1 || bytes < 1) {
            throw new IllegalArgumentException("a difference without time or room: " + seconds + " s, " + bytes + " B");
        }
    }

    /** Whether the image is booted as it is. */
    public boolean isNone() {
        return packages.isEmpty() && files.isEmpty() && run.isEmpty();
    }

    /** The same, made in no more time and room than that. */
    public Difference within(long mostSeconds, long mostBytes) {
        return new Difference(
                packages,
                files,
                run,
                (int) Math.max(1, Math.min(seconds, mostSeconds)),
                Math.max(1, Math.min(bytes, mostBytes)));
    }

    static Difference of(Settings settings) {
        return new Difference(
                settings.get(DirectiveKey.PACKAGES)
                        .map(s -> Grammar.Words.of(s.text()))
                        .orElse(List.of()),
                settings.get(DirectiveKey.FILES).map(s -> Grammar.Words.of(s.text())).orElse(List.of()).stream()
                        .map(FileChange::one)
                        .toList(),
                settings.get(DirectiveKey.RUN)
                        .map(s -> Grammar.Commands.of(s.text()))
                        .orElse(List.of()),
                settings.get(DirectiveKey.BUILD_TIMEOUT)
                        .map(s -> Integer.parseInt(s.text()))
                        .orElse(SECONDS),
                settings.get(DirectiveKey.BUILD_SIZE)
                        .map(s -> ByteSize.parse(s.text()).orElseThrow())
                        .orElse(BYTES));
    }
}
