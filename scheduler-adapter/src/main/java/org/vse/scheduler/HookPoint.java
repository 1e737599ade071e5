package org.vse.scheduler;

import java.util.Optional;

/** Where a batch system calls. */
public enum HookPoint {
    /** Before the script, by the batch system's own user: the job is admitted and its machines come up. */
    PROLOGUE("prologue"),
    /** In place of the script, by the job's user: the script runs in the first machine. */
    STARTER("starter"),
    /** After the script, by the batch system's own user: nothing of the job stays. */
    EPILOGUE("epilogue");

    private final String word;

    HookPoint(String word) {
        this.word = word;
    }

    /** As it is written on command lines and in paths of the API. */
    public String word() {
        return word;
    }

    public static Optional<HookPoint> of(String word) {
        for (HookPoint point : values()) {
            if (point.word.equals(word)) {
                return Optional.of(point);
            }
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return word;
    }
}
