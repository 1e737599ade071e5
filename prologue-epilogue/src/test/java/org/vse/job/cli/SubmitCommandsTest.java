package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands of batch systems are small programs here. */
class SubmitCommandsTest {
    @TempDir
    Path dir;

    private Path programs;

    @BeforeEach
    void programs() throws IOException {
        programs = Files.createDirectory(dir.resolve("programs"));
    }

    private void program(String name, String text) throws IOException {
        Path file = Files.writeString(programs.resolve(name), "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Shell shell() {
        return new Shell(dir)
                .with("PATH", programs.toString())
                .with("USER", "ann")
                .with("COLOUR", "blue");
    }

    @Test
    void aJobIsSubmittedWithTheUsersEnvironmentAndItsIdIsPrinted() throws IOException {
        program("sbatch", "echo \"$COLOUR $*\" > asked; echo '17;rig'");
        Shell shell = shell();
        assertThat(shell.run("submit", "--queue", "batch", "job.sh", "-N2", "--", "a"))
                .isZero();
        assertThat(shell.out()).isEqualTo("17\n");
        assertThat(shell.err()).isEqualTo("vse: submitted to slurm\n");
        assertThat(Files.readString(dir.resolve("asked"))).isEqualTo("blue --parsable -p batch -N2 job.sh a\n");
    }

    @Test
    void aRefusalComesThroughWithItsCode() throws IOException {
        program("sbatch", "echo 'sbatch: error: vse: no such image' >&2; exit 3");
        Shell shell = shell();
        assertThat(shell.run("submit", "job.sh")).isEqualTo(3);
        assertThat(shell.err()).isEqualTo("sbatch: error: vse: no such image\n");
        assertThat(shell.out()).isEmpty();
    }

    @Test
    void waitingEndsWithTheJobsCode() throws IOException {
        program("sbatch", "exit 1");
        program("scontrol", "echo \"JobId=$4 JobState=FAILED X=1 ExitCode=7:0\"");
        assertThat(shell().run("wait", "17")).isEqualTo(7);
        program("scontrol", "exit 1");
        Shell unknown = shell();
        assertThat(unknown.run("wait", "17")).isEqualTo(125);
        assertThat(unknown.err()).contains("slurm knows no job '17' [JOB_UNKNOWN]");
        assertThat(shell().run("wait", "--help-me; rm")).isEqualTo(2);
    }

    @Test
    void jobsAreListedAlikeForEveryBatchSystem() throws IOException {
        program("pbs_rstat", "exit 1");
        program(
                "qstat",
                "printf 'Job Id: 7.head\\n    Job_Name = blast\\n    Job_Owner = ann@head\\n    job_state = H\\n"
                        + "    queue = batch\\n'");
        Shell shell = shell();
        assertThat(shell.run("ps")).isZero();
        assertThat(shell.out()).isEqualTo("ID      STATE  QUEUE  NODES  NAME\n7.head  HELD   batch  -      blast\n");
    }

    @Test
    void whichBatchSystemIsSaidWhereThereAreNoneOrSeveral() throws IOException {
        Shell none = shell();
        assertThat(none.run("ps")).isEqualTo(2);
        assertThat(none.err()).contains("there is no batch system on this host [USAGE]");
        program("sbatch", "echo 17");
        program("qconf", "exit 1");
        Shell several = shell();
        assertThat(several.run("submit", "job.sh")).isEqualTo(2);
        assertThat(several.err()).contains("slurm (sbatch), gridengine (qconf)");
        assertThat(shell().with("VSE_SCHEDULER", "slurm").run("submit", "job.sh"))
                .isZero();
    }
}
