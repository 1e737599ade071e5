package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The state of an image's files when their bytes were last compared with its digests: inode, size, time of change of
 * content and of inode. Writing to a file or replacing it changes at least one of them.
 */
record Stamp(String text) {
    static Stamp of(Path directory, List<Path> files) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            Map<String, Object> now =
                    Files.readAttributes(file, "unix:ino,size,lastModifiedTime,ctime", LinkOption.NOFOLLOW_LINKS);
            text.append(directory.relativize(file))
                    .append(' ')
                    .append(now.get("ino"))
                    .append(' ')
                    .append(now.get("size"))
                    .append(' ')
                    .append(nanos(now.get("lastModifiedTime")))
                    .append(' ')
                    .append(nanos(now.get("ctime")))
                    .append('\n');
        }
        return new Stamp(text.toString());
    }

    private static long nanos(@Nullable Object time) {
        return time instanceof FileTime known ? known.to(TimeUnit.NANOSECONDS) : 0;
    }
}
