package org.vse.job.hook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.job.client.FakeVsed;
import org.vse.policy.DirectiveKey;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.scheduler.Dialect;

/** What the process of a hook loads: time depends on the machine, the number of classes does not. */
@Timeout(120)
class HookStartTest {
    /** A Java that does nothing loads some 450. */
    private static final int MOST_CLASSES = 950;

    @TempDir
    Path dir;

    /** Everything that a hook may need; a class of any other library ends it. */
    private static String classPath() {
        return Stream.of(ErrorCode.class, DirectiveKey.class, Dialect.class, Hook.class)
                .map(type ->
                        type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .collect(Collectors.joining(":"));
    }

    private CommandResult hook(String point, Path log) {
        return new CommandRunner()
                .run(Command.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-Xlog:class+load:file=" + log,
                                "-cp",
                                classPath(),
                                "org.vse.job.cli.HookEntry",
                                point,
                                "--scheduler",
                                "slurm",
                                "--run",
                                dir.toString())
                        .withEnv(
                                Map.of("SLURM_JOB_ID", "17", "SLURM_JOB_UID", "1001", "SLURM_JOB_RESTART_COUNT", "0")));
    }

    private static List<String> classes(Path log) throws IOException {
        return Files.readAllLines(log).stream()
                .map(line -> line.replaceFirst("^(\\[[^]]*\\])+ ", "").replaceFirst(" source:.*", ""))
                .toList();
    }

    @Test
    void aHookLoadsLittleAndNothingOfOtherLibraries() throws IOException {
        try (FakeVsed vsed = new FakeVsed(dir.resolve("vsed.sock"))) {
            vsed.on("POST /v1/hooks/prologue", call -> call.json(200, "{\"job\":\"17\"}"));
            vsed.on("POST /v1/hooks/epilogue", call -> call.json(200, "{\"ended\":true}"));
            for (String point : List.of("prologue", "epilogue")) {
                Path log = dir.resolve(point + ".log");
                CommandResult result = hook(point, log);
                assertThat(result.exitCode()).as(result.toString()).isZero();
                assertThat(result.stderr()).isEmpty();
                List<String> classes = classes(log);
                assertThat(classes).as(point).hasSizeBetween(300, MOST_CLASSES);
                assertThat(classes.stream().filter(name -> name.startsWith("org.")))
                        .as("classes of a hook")
                        .allMatch(name -> name.matches("org\\.vse\\.(failure|scheduler|job\\.(hook|client|cli))\\..*"));
            }
        }
    }
}
