package org.vse.policy.gate;

import java.util.List;
import java.util.OptionalInt;

/**
 * A job as a gate inside a scheduler daemon sees it.
 *
 * @param file the script's name in messages
 * @param text the script
 * @param groups names of all groups of the user, in any order
 * @param nodes empty where the daemon does not know them yet
 */
public record GateJob(String file, String text, String queue, String user, List<String> groups, OptionalInt nodes) {
    public GateJob {
        groups = List.copyOf(groups);
    }
}
