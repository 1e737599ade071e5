package org.vse.provisioner.guest;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The job's user as the guest gets to know them.
 *
 * @param groups the primary group first; no two with the same name or number
 * @param home absolute path; created empty when nothing is mounted there
 * @param shell login shell; where the guest does not have it, {@code /bin/bash}, then {@code /bin/sh}
 */
public record GuestAccount(String name, int uid, List<Group> groups, String home, String shell) {
    private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}:/,][^\\p{Cntrl}:/,]{0,63}");

    public GuestAccount {
        groups = List.copyOf(groups);
        requireName(name);
        if (uid < 0 || (uid == 0) != name.equals("root")) {
            throw new IllegalArgumentException("user '" + name + "' with the number " + uid);
        }
        if (groups.isEmpty()) {
            throw new IllegalArgumentException("user '" + name + "' without a group");
        }
        Set<Object> seen = new HashSet<>();
        for (Group group : groups) {
            if (!seen.add(group.name()) || !seen.add(group.gid())) {
                throw new IllegalArgumentException("group '" + group.name() + "' twice");
            }
        }
        GuestPath.require(home);
        GuestPath.require(shell);
        if (home.indexOf(':') >= 0 || shell.indexOf(':') >= 0) {
            throw new IllegalArgumentException(
                    "passwd(5) has no way to write ':' in '" + home + "' or '" + shell + "'");
        }
    }

    /** The number of the primary group. */
    public int gid() {
        return groups.get(0).gid();
    }

    /** A group of the user. */
    public record Group(String name, int gid) {
        public Group {
            requireName(name);
            if (gid < 0) {
                throw new IllegalArgumentException("group '" + name + "' with the number " + gid);
            }
        }
    }

    private static void requireName(String name) {
        if (!NAME.matcher(name).matches() || name.startsWith("-") || name.startsWith(" ") || name.endsWith(" ")) {
            throw new IllegalArgumentException("not a name of an account: '" + Excerpt.of(name) + "'");
        }
    }
}
