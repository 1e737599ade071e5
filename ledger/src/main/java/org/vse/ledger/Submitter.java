package org.vse.ledger;

import org.jspecify.annotations.Nullable;

/**
 * Who a job runs for, and what its batch system counts it as.
 *
 * @param user login name at the time of the job
 * @param uid numeric id on the node
 * @param group name of the user's primary group, null when unknown
 * @param queue queue or partition, null for a scheduler without queues
 * @param account what the job is charged to, null for nothing
 * @param arrayIndex of a member of an array, null for a job of its own
 */
public record Submitter(
        String user,
        int uid,
        @Nullable String group,
        @Nullable String queue,
        @Nullable String account,
        @Nullable Integer arrayIndex) {
    public Submitter {
        Text.of("user", user);
        if (uid < 0) {
            throw new IllegalArgumentException("uid: " + uid);
        }
        Text.orNull("group", group);
        Text.orNull("queue", queue);
        Text.orNull("account", account);
    }

    /** Of unknown group, charged to nothing, not of an array. */
    public Submitter(String user, int uid, @Nullable String queue) {
        this(user, uid, null, queue, null, null);
    }
}
