package org.vse.scheduler.submit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class UserCommandsTest {
    private static final Wanted ALL = new Wanted(
            "job.sh",
            List.of("a", "b c"),
            Optional.of("n"),
            Optional.of("q"),
            Optional.of("acc"),
            Optional.of("o"),
            Optional.of("e"),
            Optional.of("1:30:00"),
            List.of("--hold"));

    private static UserCommands of(String word) {
        return UserCommands.Kind.of(word).orElseThrow().commands();
    }

    @Test
    void theSameWishIsSaidToEachInItsOwnWords() {
        assertThat(String.join(" ", of("slurm").submit(ALL)))
                .isEqualTo("sbatch --parsable -J n -p q -A acc -o o -e e -t 1:30:00 --hold job.sh a b c");
        assertThat(String.join(" ", of("gridengine").submit(ALL)))
                .isEqualTo("qsub -terse -b n -N n -q q -A acc -o o -e e -l h_rt=1:30:00 --hold job.sh a b c");
        assertThat(of("torque").submit(ALL))
                .endsWith("-l", "walltime=1:30:00", "--hold", "-F", "\"a\" \"b c\"", "job.sh");
        VseException refused =
                catchThrowableOfType(VseException.class, () -> of("openpbs").submit(ALL));
        assertThat(refused.code()).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void idsAreWhatSubmissionsPrint() {
        assertThat(of("slurm").id("17;cluster\n")).contains("17");
        assertThat(of("gridengine").id("4.1-3:1\n")).contains("4");
        assertThat(of("openpbs").id("12[].head.example\n")).contains("12[].head.example");
        assertThat(of("torque").id("12.head\n")).contains("12.head");
        for (String word : UserCommands.Kind.words()) {
            assertThat(of(word).id("warning: something\n")).as(word).isEmpty();
        }
    }

    @Test
    void slurmTellsHowAJobEnded() {
        UserCommands slurm = of("slurm");
        String line = "JobId=%s JobName=a UserId=ann(1) JobState=%s Reason=None Restarts=0 ExitCode=%s X=1\n";
        assertThat(slurm.status(0, line.formatted("1", "RUNNING", "0:0"))).contains(UserJob.Status.GOING);
        assertThat(slurm.status(0, line.formatted("1", "FAILED", "7:0"))).contains(UserJob.Status.ended(7));
        assertThat(slurm.status(0, line.formatted("1", "FAILED", "0:9"))).contains(UserJob.Status.ended(137));
        assertThat(slurm.status(0, line.formatted("1", "CANCELLED", "0:0"))).contains(UserJob.Status.ended(1));
        String members = line.formatted("1", "COMPLETED", "0:0") + line.formatted("2", "FAILED", "3:0");
        assertThat(slurm.status(0, members)).contains(UserJob.Status.ended(3));
        assertThat(slurm.status(0, "")).isEmpty();
        assertThat(slurm.status(1, "CANCELLED by 1000|0:0\n")).contains(UserJob.Status.ended(1));
    }

    @Test
    void slurmListsJobs() {
        assertThat(of("slurm").jobs("ann", "12_[1-3]|PENDING|JobHeldUser|batch||a|b\n13|RUNNING|None|vms|n[1-2]|x\n"))
                .containsExactly(
                        new UserJob("12_[1-3]", UserJob.State.HELD, "a|b", "batch", ""),
                        new UserJob("13", UserJob.State.RUNNING, "x", "vms", "n[1-2]"));
    }

    @Test
    void pbsTellsOfJobsInBlocks() {
        String text = """
                Job Id: 7.head
                    Job_Name = blast
                    Job_Owner = ann@head
                    job_state = R
                    queue = batch
                    exec_host = n1/0*2+n
                \t2/0*2

                Job Id: 8.head
                    Job_Name = other
                    Job_Owner = ben@head
                    job_state = Q
                    queue = batch
                """;
        assertThat(of("openpbs").jobs("ann", text))
                .containsExactly(new UserJob("7.head", UserJob.State.RUNNING, "blast", "batch", "n1/0*2+n2/0*2"));
        assertThat(of("openpbs").status(0, text)).contains(UserJob.Status.GOING);
        String ended = "Job Id: 7.head\n    job_state = %s\n    %s = %s\n";
        assertThat(of("openpbs").status(0, ended.formatted("F", "Exit_status", "271")))
                .contains(UserJob.Status.ended(143));
        assertThat(of("openpbs").status(0, ended.formatted("F", "Exit_status", "-29")))
                .contains(UserJob.Status.ended(1));
        assertThat(of("torque").status(0, ended.formatted("C", "exit_status", "4")))
                .contains(UserJob.Status.ended(4));
    }

    @Test
    void gridEngineListsJobsAndAccountsForThem() {
        UserCommands engine = of("gridengine");
        String rows = """
                job-ID  prior   name       user         state submit/start at     queue              slots ja-task-ID
                ---------------------------------------------------------------------------------
                      3 0.55500 hello      ann          r     11/21/2026 18:00:00 all.q@n1              1
                      4 0.00000 later      ann          hqw   11/21/2026 18:00:00                       1
                """;
        assertThat(engine.jobs("ann", rows))
                .containsExactly(
                        new UserJob("3", UserJob.State.RUNNING, "hello", "all.q", "n1"),
                        new UserJob("4", UserJob.State.HELD, "later", "", ""));
        assertThat(engine.status(0, "==\njob_number:                 3\n")).contains(UserJob.Status.GOING);
        String account = "==\nfailed       %s\nexit_status  %s                   \n";
        assertThat(engine.status(1, account.formatted("0", "7"))).contains(UserJob.Status.ended(7));
        assertThat(engine.status(1, account.formatted("21 : in recognizing job", "0")))
                .contains(UserJob.Status.ended(1));
        assertThat(engine.status(1, "error: job id 3 not found\n")).isEmpty();
    }

    @Test
    void aHostIsRecognisedByWhatOnlyOneBatchSystemHas() {
        assertThat(UserCommands.Kind.on(Set.of("sbatch", "qsub")::contains)).containsExactly(UserCommands.Kind.SLURM);
        assertThat(UserCommands.Kind.on(Set.of("qsub", "qconf")::contains))
                .containsExactly(UserCommands.Kind.GRID_ENGINE);
        assertThat(UserCommands.Kind.on(name -> false)).isEmpty();
    }
}
