package org.vse.job.hook;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The file behind one of this process's output streams.
 *
 * @param descriptor its name among the process's descriptors, {@code /proc/self/fd/1} (proc(5))
 */
record SpoolFile(Path descriptor) {
    /** Its length now; negative for what is no file. */
    long size() throws IOException {
        return Files.isRegularFile(descriptor) ? Files.size(descriptor) : -1;
    }

    void cut(long length) throws IOException {
        try (FileChannel file = FileChannel.open(descriptor, StandardOpenOption.WRITE)) {
            file.truncate(length);
        }
    }
}
