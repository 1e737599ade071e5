package org.vse.ledger;

/**
 * One attempt of one job, as its scheduler names it.
 *
 * @param cluster the scheduler's installation; job ids are unique within it
 * @param scheduler the kind of scheduler: {@code local}, {@code slurm}, …
 * @param id the job's id in the scheduler's own words, array brackets and dots included
 * @param attempt 1 for the first attempt, one more after each requeue
 */
public record JobKey(String cluster, String scheduler, String id, int attempt) {
    public JobKey {
        Text.of("cluster", cluster);
        Text.of("scheduler", scheduler);
        Text.of("job id", id);
        if (attempt < 1) {
            throw new IllegalArgumentException("attempt: " + attempt);
        }
    }
}
