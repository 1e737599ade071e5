package org.vse.scheduler.local;

import java.util.List;
import java.util.Optional;

/**
 * Why a job does not start yet.
 *
 * @param position 0 for the job that is next
 * @param taken what the next job needs and others have
 * @param holders the jobs that have it, in the order in which they got it
 * @param next the job at the head of the queue; empty when it is this one
 */
public record Waiting(int position, Taken taken, List<String> holders, Optional<String> next) {
    private static final int NAMED = 8;

    public Waiting {
        holders = List.copyOf(holders);
    }

    /** What of this node is taken. */
    public sealed interface Taken {
        /** Its name for people: {@code cores}, {@code memory}. */
        String resource();

        /** Cores that jobs hold, and all cores. */
        record Cores(int busy, int cores) implements Taken {
            @Override
            public String resource() {
                return "cores";
            }

            @Override
            public String toString() {
                return busy + " of " + cores + (cores == 1 ? " core" : " cores")
                        + (busy == 1 ? " is busy" : " are busy");
            }
        }

        /** Memory that jobs hold, and all that they may have; bytes. */
        record Memory(long held, long memory) implements Taken {
            @Override
            public String resource() {
                return "memory";
            }

            @Override
            public String toString() {
                return mebibytes(held) + " of " + mebibytes(memory) + " of memory are taken";
            }
        }
    }

    static String mebibytes(long bytes) {
        return (bytes >> 20) + "MiB";
    }

    /** For people: {@code 2 of 2 cores are busy: local-4, local-5}. */
    @Override
    public String toString() {
        String names = String.join(", ", holders.subList(0, Math.min(NAMED, holders.size())))
                + (holders.size() > NAMED ? " and " + (holders.size() - NAMED) + " more" : "");
        String state = taken + (holders.isEmpty() ? "" : ": " + names);
        return next.map(head -> position + (position == 1 ? " job is" : " jobs are") + " ahead, next is " + head + "; ")
                        .orElse("")
                + state;
    }
}
