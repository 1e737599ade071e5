package org.vse.policy.layer;

import java.util.List;
import java.util.OptionalInt;

/**
 * What a policy needs to know about a job beside its script.
 *
 * @param groups names of all groups of the user
 * @param nodes that the batch system was asked for, at least 1
 * @param coresPerNode empty when the batch system was not told
 */
public record Applicant(String user, List<String> groups, int nodes, OptionalInt coresPerNode) {
    public Applicant {
        groups = List.copyOf(groups);
        if (user.isEmpty() || nodes < 1 || coresPerNode.orElse(1) < 1) {
            throw new IllegalArgumentException("not a job: '" + user + "', " + nodes + ", " + coresPerNode);
        }
    }
}
