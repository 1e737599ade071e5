package org.vse.policy;

import java.util.Arrays;

/** What happens to a job when its walltime is nearly over. */
public enum OnWalltime {
    /** Nothing before it is over; then the script is ended. */
    KILL("kill"),
    /** The script gets TERM in time to end by itself. */
    SIGNAL("signal"),
    /** The VMs are saved together, and the job goes on from there later. */
    CHECKPOINT("checkpoint");

    private final String word;

    OnWalltime(String word) {
        this.word = word;
    }

    /** As written in a directive. */
    public String word() {
        return word;
    }

    static OnWalltime of(String word) {
        return Arrays.stream(values())
                .filter(each -> each.word.equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(word));
    }
}
