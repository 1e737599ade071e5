package org.vse.job.lifecycle;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The end of a guest's boot console, safe to show on a terminal. */
public final class ConsoleTail {
    private static final int WINDOW = 8192;

    private ConsoleTail() {}

    /** The last lines, after the kernel's panic when that is further up, control characters replaced; a sentence instead when the console cannot be read. */
    public static String of(Path console, int lines) {
        try (RandomAccessFile file = new RandomAccessFile(console.toFile(), "r")) {
            long begin = Math.max(0, file.length() - WINDOW);
            byte[] bytes = new byte[(int) (file.length() - begin)];
            file.seek(begin);
            file.readFully(bytes);
            List<String> all = new String(bytes, StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.replaceAll("\\p{Cntrl}", "?"))
                    .filter(line -> !line.isBlank())
                    .toList();
            List<String> last = all.subList(Math.max(0, all.size() - lines), all.size());
            String tail = last.isEmpty() ? "(the console is empty)" : String.join("\n", last);
            return all.stream()
                    .limit(all.size() - last.size())
                    .filter(line -> line.contains("Kernel panic"))
                    .findFirst()
                    .map(panic -> panic + "\n" + tail)
                    .orElse(tail);
        } catch (IOException e) {
            return "(the console cannot be read: " + e.getMessage() + ")";
        }
    }
}
