package org.vse.scheduler.local;

import java.util.List;
import java.util.Optional;

/**
 * Why a job does not start yet.
 *
 * @param position 0 for the job that is next
 * @param asked cores that the job needs
 * @param busy cores that other jobs hold
 * @param cores cores of this node
 * @param holders the jobs that hold them, in the order in which they got them
 * @param next the job at the head of the queue; empty when it is this one
 */
public record Waiting(int position, int asked, int busy, int cores, List<String> holders, Optional<String> next) {
    private static final int NAMED = 8;

    public Waiting {
        holders = List.copyOf(holders);
    }

    /** For people: {@code 2 of 2 cores are busy: local-4, local-5}. */
    @Override
    public String toString() {
        String names = String.join(", ", holders.subList(0, Math.min(NAMED, holders.size())))
                + (holders.size() > NAMED ? " and " + (holders.size() - NAMED) + " more" : "");
        String state = busy + " of " + cores + (cores == 1 ? " core" : " cores")
                + (busy == 1 ? " is busy" : " are busy") + (holders.isEmpty() ? "" : ": " + names);
        return next.map(head -> position + (position == 1 ? " job is" : " jobs are") + " ahead, next is " + head + "; ")
                        .orElse("")
                + state;
    }
}
