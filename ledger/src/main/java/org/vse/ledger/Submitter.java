package org.vse.ledger;

import org.jspecify.annotations.Nullable;

/**
 * Who a job runs for.
 *
 * @param user login name at the time of the job
 * @param uid numeric id on the node
 * @param queue queue or partition, null for a scheduler without queues
 */
public record Submitter(String user, int uid, @Nullable String queue) {
    public Submitter {
        Text.of("user", user);
        if (uid < 0) {
            throw new IllegalArgumentException("uid: " + uid);
        }
        if (queue != null) {
            Text.of("queue", queue);
        }
    }
}
