package org.vse.imagestore;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * An image that differs from another one by what its lines say.
 *
 * @param base digest of the other one
 * @param lines what is different, everything that matters in it: two of the same lines are the same image
 * @param additive whether each line adds a package and nothing else, so that lines may be made one after the other
 */
public record Wanted(String base, List<String> lines, boolean additive) {
    public Wanted {
        lines = List.copyOf(lines);
        if (!ImageStore.DIGESTED.matcher(base).matches()
                || lines.isEmpty()
                || lines.stream().anyMatch(line -> line.indexOf('\n') >= 0)) {
            throw new IllegalArgumentException("not a difference of '" + base + "': " + lines);
        }
    }

    /** 64 hexadecimal digits. */
    public String key() {
        String text = base + "\n" + additive + "\n" + String.join("\n", lines);
        return ChunkDigests.whole(text.getBytes(StandardCharsets.UTF_8));
    }
}
