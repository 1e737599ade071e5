package org.vse.job.cli;

import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.nio.file.Path;
import java.util.List;
import org.vse.job.hook.Hook;

/** {@code vse hook …}, which batch systems call: loads nothing that it does not need. */
public final class HookEntry {
    private HookEntry() {}

    public static void main(String[] args) {
        Hook hook = new Hook(
                System.getenv(),
                Path.of("").toAbsolutePath(),
                // A plain stream asks a pipe for its position when it is read to its end.
                new BufferedInputStream(new FileInputStream(FileDescriptor.in)),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                Path.of("/proc/self/fd"),
                OsSignals::handle);
        System.exit(hook.run(List.of(args)));
    }
}
