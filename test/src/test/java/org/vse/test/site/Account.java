package org.vse.test.site;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * A user of this host.
 *
 * @param groups all its groups, the primary one among them
 */
public record Account(String name, int uid, int gid, List<Integer> groups, Path home) {
    private static final CommandRunner COMMANDS = new CommandRunner();

    public Account {
        groups = List.copyOf(groups);
    }

    public static Account root() {
        return new Account("root", 0, 0, List.of(0), Path.of("/root"));
    }

    /** Makes a user without login whose home is that directory; one that a broken run left behind is replaced. */
    static Account make(String name, Path home) {
        remove(name);
        COMMANDS.run(Command.of("groupadd", "--force", group(name))).orThrow("making a group");
        COMMANDS.run(Command.of(
                        "useradd",
                        "--home-dir",
                        home.toString(),
                        "--create-home",
                        "--user-group",
                        "--groups",
                        group(name),
                        "--no-log-init",
                        "--shell",
                        "/bin/bash",
                        "--key",
                        "HOME_MODE=0700",
                        name))
                .orThrow("making a user");
        return new Account(name, number("-u", name), number("-g", name), numbers("-G", name), home);
    }

    /** A second group of the user. */
    public static String group(String user) {
        return user + "x";
    }

    static void remove(String name) {
        for (List<String> argv : List.of(List.of("userdel", name), List.of("groupdel", group(name)))) {
            String kind = argv.get(0).startsWith("user") ? "passwd" : "group";
            if (COMMANDS.run(Command.of("getent", kind, argv.get(1))).exitCode() == 0) {
                COMMANDS.run(Command.of(argv).withTimeout(Duration.ofSeconds(60)))
                        .orThrow("removing what the tests made");
            }
        }
    }

    private static int number(String option, String name) {
        return numbers(option, name).get(0);
    }

    private static List<Integer> numbers(String option, String name) {
        CommandResult result = COMMANDS.run(Command.of("id", option, name)).orThrow("looking a user up");
        return Arrays.stream(result.stdout().strip().split(" ", -1))
                .map(Integer::valueOf)
                .toList();
    }
}
