package org.vse.policy;

import java.util.Arrays;

/**
 * A directory of the node that a job sees at the same path in its VMs, with the user's rights.
 *
 * @param path absolute, without {@code .} and {@code ..}
 * @param writable whether the VMs may write to it
 */
public record HostMount(String path, boolean writable) {
    static final String FORM = "(/(?![.]{1,2}(/|:|$))[A-Za-z0-9._@+-]+)+(:(ro|rw))?";
    static final String RANGE = "absolute path without . and .., then :ro (default) or :rw";

    public HostMount {
        if (!path.startsWith("/") || Arrays.asList(path.split("/", -1)).contains("..")) {
            throw new IllegalArgumentException("not a directory: '" + path + "'");
        }
    }

    /** One word of {@code mounts=}. */
    public static HostMount one(String word) {
        int colon = word.indexOf(':');
        return colon < 0
                ? new HostMount(word, false)
                : new HostMount(
                        word.substring(0, colon), word.substring(colon + 1).equals("rw"));
    }
}
