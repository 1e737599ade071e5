package org.vse.policy;

import java.util.Arrays;
import java.util.Locale;

/** Which network the VMs of a job have. */
public enum Network {
    /** One of this job only, which joins all its VMs. */
    JOB,
    /** User-mode networking of a single VM; needs no privilege. */
    USER;

    /** As written in a directive. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Network of(String word) {
        return Arrays.stream(values())
                .filter(v -> v.word().equals(word))
                .findFirst()
                .orElseThrow();
    }
}
