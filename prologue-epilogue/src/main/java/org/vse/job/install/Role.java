package org.vse.job.install;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** What a host is to its cluster. */
public enum Role {
    /** Users submit jobs there. */
    SUBMIT,
    /** Jobs run there. */
    NODE,
    /** The batch system's own daemon runs there. */
    HEAD;

    /**
     * The roles that a word means.
     *
     * @param word null for all of them
     * @throws VseException USAGE
     */
    public static List<Role> of(@Nullable String word) {
        if (word == null) {
            return List.of(values());
        }
        return List.of(Arrays.stream(values())
                .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst()
                .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "'" + word + "' is not a role of a host")
                        .fact("allowed", "submit, node, head")));
    }
}
