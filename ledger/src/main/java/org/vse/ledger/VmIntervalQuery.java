package org.vse.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which intervals to list; null means any. An interval is listed when some of it lies in {@code [since, until)}, and one
 * without length when it lies there itself.
 *
 * @param image an image's name or digest
 * @param job a job's id, all attempts
 * @param runningOnly only intervals without an end
 */
public record VmIntervalQuery(
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable String cluster,
        @Nullable String user,
        @Nullable String node,
        @Nullable String image,
        @Nullable String job,
        boolean runningOnly) {
    public VmIntervalQuery {
        if (since != null && until != null && until.isBefore(since)) {
            throw new IllegalArgumentException("until " + until + " is before since " + since);
        }
    }

    /** Every interval there is. */
    public static VmIntervalQuery all() {
        return new VmIntervalQuery(null, null, null, null, null, null, null, false);
    }

    public VmIntervalQuery between(@Nullable Instant newSince, @Nullable Instant newUntil) {
        return new VmIntervalQuery(newSince, newUntil, cluster, user, node, image, job, runningOnly);
    }

    public VmIntervalQuery ofCluster(@Nullable String newCluster) {
        return new VmIntervalQuery(since, until, newCluster, user, node, image, job, runningOnly);
    }

    public VmIntervalQuery ofUser(@Nullable String newUser) {
        return new VmIntervalQuery(since, until, cluster, newUser, node, image, job, runningOnly);
    }

    public VmIntervalQuery onNode(@Nullable String newNode) {
        return new VmIntervalQuery(since, until, cluster, user, newNode, image, job, runningOnly);
    }

    public VmIntervalQuery ofImage(@Nullable String newImage) {
        return new VmIntervalQuery(since, until, cluster, user, node, newImage, job, runningOnly);
    }

    public VmIntervalQuery ofJob(@Nullable String newJob) {
        return new VmIntervalQuery(since, until, cluster, user, node, image, newJob, runningOnly);
    }

    /** Only what still runs: what a node's daemon has to account for after its restart. */
    public VmIntervalQuery running() {
        return new VmIntervalQuery(since, until, cluster, user, node, image, job, true);
    }
}
