package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Examples;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Machines are saved together and go on: as if nothing had been, for the script, its files, its connections and its output. */
@Tag("system")
class CheckpointSystemTest {
    private static final int GOES_ON_LATER = 75;
    private static final Pattern JOB = Pattern.compile("^vse: job (\\S+)$", Pattern.MULTILINE);

    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static String numbers(int last) {
        return IntStream.rangeClosed(1, last).mapToObj(i -> i + "\n").collect(Collectors.joining());
    }

    private static String job(String err) {
        Matcher job = JOB.matcher(err);
        assertThat(job.find()).as(err).isTrue();
        return job.group(1);
    }

    @Test
    void aJobThatIsLongerThanItsWalltimeGoesOnAsOthers() throws IOException {
        Account alice = site.alice();
        Desk home = site.desk(alice);
        Files.deleteIfExists(alice.home().resolve("resume.log"));
        String example = Files.readString(Examples.script("resume.sh")).replace("00:00:45", "00:00:40");
        home.script("resume.sh", example);
        StringBuilder all = new StringBuilder();
        Finished run = home.vse("run", "resume.sh", "90");
        all.append(run.out());
        int walltimes = 1;
        while (run.exitCode() == GOES_ON_LATER && walltimes < 12) {
            assertThat(run.err()).contains("walltime is nearly over: the machines are saved");
            home.script("again.sh", example.replace("on-walltime", "resume=" + job(run.err()) + " on-walltime"));
            run = home.vse("run", "again.sh", "90");
            all.append(run.out());
            walltimes++;
        }
        run.expect(0);
        assertThat(walltimes).isGreaterThan(2);
        assertThat(all.toString()).isEqualTo(numbers(90));
        assertThat(alice.home().resolve("resume.log")).hasContent(numbers(90));
        assertThat(home.vse("checkpoint", "ls").expect(0).out()).doesNotContain("local-");
    }

    @Test
    void aRunningJobIsSavedAndGoesOnAtOnce() {
        Desk home = site.desk(site.alice());
        home.script("count.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 memory=256MiB
                exec 3>>~/count.log
                i=0
                until [[ -e ~/enough ]]; do
                    i=$((i + 1))
                    echo "$i"
                    echo "$i" >&3
                    sleep 0.2
                done
                exit 5
                """);
        Started run = home.start("run", "count.sh").awaitOut("3\n");
        String job = job(run.err());
        Finished saved = home.vse("checkpoint", job).expect(0);
        assertThat(saved.out()).contains("checkpoint 1 of job " + job);
        assertThat(home.vse("checkpoint", "ls").expect(0).out()).contains(job);
        assertThat(home.vse("checkpoint", "rm", job).expect(125).err()).contains("[JOB_STATE]");
        assertThat(home.vse("checkpoint", "gc", "--before", "0s").expect(0).out())
                .doesNotContain(job);
        int seen = (int) run.out().lines().count();
        run.awaitOut((seen + 5) + "\n");
        home.put("enough", "", "rw-r--r--");
        Finished ended = run.finish().expect(5);
        int last = (int) ended.out().lines().count();
        assertThat(ended.out()).isEqualTo(numbers(last));
        assertThat(site.alice().home().resolve("count.log")).hasContent(numbers(last));
        assertThat(home.vse("checkpoint", "ls").expect(0).out()).doesNotContain(job);
    }

    @Test
    void whatCannotBeSavedIsRefusedWhenItIsSubmitted() {
        Desk home = site.desk(site.alice());
        home.script("9p.sh", "#!/bin/bash\n#VSE image=debian-12 share=9p on-walltime=checkpoint\n");
        assertThat(home.vse("run", "9p.sh").expect(125).err())
                .contains("[DIRECTIVE_CONFLICT]")
                .contains("VMs with directories by 9p cannot be saved");
        home.script("none.sh", "#!/bin/bash\n#VSE image=debian-12 resume=local-4711\n");
        assertThat(home.vse("run", "none.sh").err())
                .contains("there is no checkpoint of job 'local-4711' [CHECKPOINT_INVALID]");
    }
}
