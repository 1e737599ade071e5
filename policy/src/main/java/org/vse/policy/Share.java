package org.vse.policy;

import java.util.Arrays;
import java.util.Locale;

/** How the user's directories reach the guest. */
public enum Share {
    /** By an NFS server of this job only, in the job's own network. */
    NFS,
    /** By 9p, through the VM's own process; needs no network. */
    P9("9p"),
    /** Not at all. */
    NONE;

    private final String word;

    Share() {
        this.word = name().toLowerCase(Locale.ROOT);
    }

    Share(String word) {
        this.word = word;
    }

    /** As written in a directive. */
    public String word() {
        return word;
    }

    /**
     * How directories reach the guest where nobody says.
     *
     * @param network word of the VMs' network
     */
    public static Share standard(String network) {
        return Defaults.share(Network.of(network));
    }

    static Share of(String word) {
        return Arrays.stream(values())
                .filter(v -> v.word().equals(word))
                .findFirst()
                .orElseThrow();
    }
}
