package org.vse.provisioner.checkpoint;

import java.util.regex.Pattern;

/**
 * A file of a set.
 *
 * @param name in the set's directory
 * @param bytes its length
 * @param sha256 of its bytes, for a memory from where the machine's state begins; 64 hexadecimal digits
 */
public record SavedFile(String name, long bytes, String sha256) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9.-]{0,63}");
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

    public SavedFile {
        if (!NAME.matcher(name).matches()
                || bytes < 0
                || !DIGEST.matcher(sha256).matches()) {
            throw new IllegalArgumentException("not a file of a set: " + name);
        }
    }
}
