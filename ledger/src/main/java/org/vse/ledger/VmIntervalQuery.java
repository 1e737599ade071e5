package org.vse.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which intervals count; null means any. An interval counts when some of it lies in {@code [since, until)}, and one without
 * length when it lies there itself.
 *
 * @param image an image's name or digest
 * @param job a job's id, all attempts
 * @param runningOnly only intervals without an end
 * @param limit the newest so many; 0 for all
 */
public record VmIntervalQuery(
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable String cluster,
        @Nullable String user,
        @Nullable String queue,
        @Nullable String account,
        @Nullable String node,
        @Nullable String image,
        @Nullable String job,
        boolean runningOnly,
        int limit) {
    public VmIntervalQuery {
        if (since != null && until != null && until.isBefore(since)) {
            throw new IllegalArgumentException("until " + until + " is before since " + since);
        }
        if (limit < 0) {
            throw new IllegalArgumentException("limit: " + limit);
        }
    }

    /** Every interval there is. */
    public static VmIntervalQuery all() {
        return new VmIntervalQuery(null, null, null, null, null, null, null, null, null, false, 0);
    }

    public VmIntervalQuery between(@Nullable Instant newSince, @Nullable Instant newUntil) {
        return new VmIntervalQuery(
                newSince, newUntil, cluster, user, queue, account, node, image, job, runningOnly, limit);
    }

    public VmIntervalQuery ofCluster(@Nullable String newCluster) {
        return new VmIntervalQuery(
                since, until, newCluster, user, queue, account, node, image, job, runningOnly, limit);
    }

    public VmIntervalQuery ofUser(@Nullable String newUser) {
        return new VmIntervalQuery(
                since, until, cluster, newUser, queue, account, node, image, job, runningOnly, limit);
    }

    public VmIntervalQuery inQueue(@Nullable String newQueue) {
        return new VmIntervalQuery(
                since, until, cluster, user, newQueue, account, node, image, job, runningOnly, limit);
    }

    public VmIntervalQuery ofAccount(@Nullable String newAccount) {
        return new VmIntervalQuery(
                since, until, cluster, user, queue, newAccount, node, image, job, runningOnly, limit);
    }

    public VmIntervalQuery onNode(@Nullable String newNode) {
        return new VmIntervalQuery(
                since, until, cluster, user, queue, account, newNode, image, job, runningOnly, limit);
    }

    public VmIntervalQuery ofImage(@Nullable String newImage) {
        return new VmIntervalQuery(
                since, until, cluster, user, queue, account, node, newImage, job, runningOnly, limit);
    }

    public VmIntervalQuery ofJob(@Nullable String newJob) {
        return new VmIntervalQuery(
                since, until, cluster, user, queue, account, node, image, newJob, runningOnly, limit);
    }

    /** Only what still runs: what a node's daemon has to account for after its restart. */
    public VmIntervalQuery running() {
        return new VmIntervalQuery(since, until, cluster, user, queue, account, node, image, job, true, limit);
    }

    /** The newest so many. */
    public VmIntervalQuery newest(int newLimit) {
        return new VmIntervalQuery(
                since, until, cluster, user, queue, account, node, image, job, runningOnly, newLimit);
    }
}
