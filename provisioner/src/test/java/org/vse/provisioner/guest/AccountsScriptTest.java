package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/** The part of the setup that needs no guest: the account files, in a directory of the test's own. */
class AccountsScriptTest {
    @TempDir
    private Path etc;

    private void accounts(String shell, String user, int uid, String home, String groups) {
        CommandResult result = new CommandRunner()
                .run(Command.of(
                        shell,
                        "-c",
                        "set -eu\n" + GuestScripts.ACCOUNTS + "\naccounts \"$@\"",
                        "sh",
                        etc.toString(),
                        user,
                        Integer.toString(uid),
                        "100",
                        home,
                        "/bin/bash",
                        groups));
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        assertThat(result.stderr()).isEmpty();
    }

    private void write(String passwd, String group, String shadow) throws IOException {
        Files.writeString(etc.resolve("passwd"), passwd);
        Files.writeString(etc.resolve("group"), group);
        Files.writeString(etc.resolve("shadow"), shadow);
    }

    private String read(String name) throws IOException {
        return Files.readString(etc.resolve(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bin/sh", "/bin/bash"})
    void theJobsUserWins(String shell) throws IOException {
        write(
                "root:x:0:0:root:/root:/bin/sh\nalice:x:500:500:Old \\n $(id):/old:/bin/false\ndebian:x:1000:1000::/d:/s",
                "root:x:0:\nusers:x:50:bob\nstaff:x:100:\nalice2:x:7:",
                "root:*:1:::::\nalice:!:1::::::\n");
        for (int i = 0; i < 2; i++) {
            accounts(shell, "alice", 1000, "/home/al ice*", "users:100\ndom\\users x:7000");
            assertThat(read("passwd")).isEqualTo("""
                            alice:x:1000:100::/home/al ice*:/bin/bash
                            root:x:0:0:root:/root:/bin/sh
                            debian:x:1000:1000::/d:/s
                            """);
            assertThat(read("group"))
                    .isEqualTo("users:x:100:\ndom\\users x:x:7000:alice\nroot:x:0:\nstaff:x:100:\nalice2:x:7:\n");
            assertThat(read("shadow")).isEqualTo("alice:*:::::::\nroot:*:1:::::\n");
        }
    }

    @Test
    void rootStaysOneEntry() throws IOException {
        write("root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n", "root:*:1:::::\n");
        Files.delete(etc.resolve("shadow"));
        accounts("/bin/sh", "root", 0, "/root", "root:0");
        assertThat(read("passwd")).isEqualTo("root:x:0:100::/root:/bin/bash\n");
        assertThat(read("group")).isEqualTo("root:x:0:\n");
        assertThat(etc.resolve("shadow")).doesNotExist();
    }
}
