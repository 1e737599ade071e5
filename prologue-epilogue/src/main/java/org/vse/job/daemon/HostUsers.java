package org.vse.job.daemon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobRecord;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/** The users of this host as its name service knows them (getent(1), id(1)), LDAP and the like included. */
public final class HostUsers {
    private final CommandRunner commands;

    public HostUsers(CommandRunner commands) {
        this.commands = commands;
    }

    /**
     * Finds a user.
     *
     * @param nameOrUid login name, or uid in digits
     * @throws VseException USER_UNKNOWN
     */
    public JobRecord.User find(String nameOrUid) {
        CommandResult result = commands.run(Command.of("getent", "passwd", "--", nameOrUid));
        String[] fields = result.stdout().strip().split(":", -1);
        if (result.exitCode() != 0 || fields.length != 7) {
            throw VseException.of(ErrorCode.USER_UNKNOWN, "there is no user '" + nameOrUid + "' on this host")
                    .next("getent passwd " + nameOrUid);
        }
        int gid = Integer.parseInt(fields[3]);
        return new JobRecord.User(
                fields[0], Integer.parseInt(fields[2]), gid, groups(fields[0], gid), fields[5], shell(fields[6]));
    }

    private List<JobRecord.Group> groups(String user, int primary) {
        CommandResult numbers =
                commands.run(Command.of("id", "-G", "--", user)).orThrow("reading the groups of " + user);
        Map<Integer, String> names = new LinkedHashMap<>();
        names.put(primary, "");
        for (String number : numbers.stdout().strip().split(" ")) {
            names.put(Integer.parseInt(number), "");
        }
        List<String> argv = new ArrayList<>(List.of("getent", "group", "--"));
        names.keySet().forEach(gid -> argv.add(Integer.toString(gid)));
        // A number without a name is left out of the answer; it keeps its number as its name.
        for (String line : commands.run(Command.of(argv)).stdout().lines().toList()) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 3) {
                names.replace(Integer.parseInt(fields[2]), fields[0]);
            }
        }
        return names.entrySet().stream()
                .map(e -> new JobRecord.Group(e.getValue().isEmpty() ? "g" + e.getKey() : e.getValue(), e.getKey()))
                .toList();
    }

    private static String shell(String shell) {
        return shell.isEmpty() ? "/bin/sh" : shell;
    }
}
