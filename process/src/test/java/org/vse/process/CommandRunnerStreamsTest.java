package org.vse.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class CommandRunnerStreamsTest {
    @TempDir
    Path dir;

    private final CommandRunner runner = new CommandRunner();

    @Test
    void aReportIsReadWhileTheProgramGoesOn() throws IOException, InterruptedException {
        Path log = dir.resolve("log");
        Path fifo = dir.resolve("fifo");
        runner.run(Command.of("mkfifo", fifo.toString())).orThrow("making a pipe");
        Process process = runner.startReporting(
                Command.of("bash", "-c", "echo ready; echo words >&2; read -r line <fifo; exit 7")
                        .withCwd(dir),
                log);
        try (BufferedReader reader = process.inputReader()) {
            assertThat(reader.readLine()).isEqualTo("ready");
            assertThat(process.isAlive()).isTrue();
            Files.writeString(fifo, "go\n");
            assertThat(process.waitFor()).isEqualTo(7);
        }
        assertThat(log).hasContent("words");
    }

    @Test
    void inheritedStreamsGiveTheExitCodeAndOnlyTheGivenEnvironment() {
        Command command = Command.of("bash", "-c", "[[ $A == 1 && -z ${JAVA_HOME:-} && $PWD == / ]] && exit 5")
                .withEnv(Map.of("A", "1"));
        assertThat(runner.runInherited(command)).isEqualTo(5);
        assertThat(runner.runInherited(Command.of("bash", "-c", "kill -TERM $$")))
                .isEqualTo(143);
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        VseException e =
                catchThrowableOfType(VseException.class, () -> runner.runInherited(Command.of("/nonexistent/program")));
        assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_MISSING);
        assertThat(e.render()).contains("/nonexistent/program");
    }
}
