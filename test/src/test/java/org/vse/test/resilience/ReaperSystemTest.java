package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.network.NetworkPlan;
import org.vse.test.site.Desk;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What is ours and has no job is removed; what stands beside it is not touched. */
@Tag("system")
class ReaperSystemTest {
    private static final String TAG = "feedc0ffee00";
    private static final String FOREIGN = "deadbeef0000";
    private static final String LABEL = "<metadata><vse:machine xmlns:vse='urn:x-vse:machine:1' owner='%s'"
            + " job='%s' attempt='1' index='0'/></metadata>";

    private final CommandRunner commands = new CommandRunner();
    private final JobNetwork foreign = new JobNetwork(commands, "somebody-else");
    private Site site;

    @BeforeEach
    void open() {
        site = Site.prepare("reap-interval: 2s\n");
        site.root().vse("up").expect(0);
    }

    @AfterEach
    void close() {
        foreign.remove(FOREIGN);
        for (String domain : domains()) {
            virsh("destroy", domain);
        }
        site.close();
    }

    @Test
    void whatIsOursAndHasNoJobIsRemovedAndNothingElse() throws IOException {
        String owner = Files.readString(site.state().resolve("owner")).strip();
        NetworkPlan other = new NetworkPlan(FOREIGN);
        List<JobNetwork.Tap> taps = List.of(new JobNetwork.Tap(other.tap(0), 0));
        foreign.openService(other);
        foreign.openSwitch(other, taps);
        // A name like ours, and no label or that of another installation.
        create("vse-" + FOREIGN + "-0", "");
        create("vse-" + FOREIGN + "-1", LABEL.formatted("somebody-else", FOREIGN));
        for (boolean whileItRuns : new boolean[] {true, false}) {
            if (!whileItRuns) {
                site.root().vse("down").expect(0);
                site.root().vse("up").expect(0);
            }
            JobNetwork ours = new JobNetwork(commands, owner);
            NetworkPlan plan = new NetworkPlan(TAG);
            Path sockets = Files.createDirectories(site.run().resolve("j").resolve(TAG));
            create("odd-name", LABEL.formatted(owner, TAG));
            ours.openService(plan);
            ours.openSwitch(plan, List.of(new JobNetwork.Tap(plan.tap(0), 0)));
            await("the reaper").atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                assertThat(domains()).doesNotContain("odd-name");
                assertThat(sockets).doesNotExist();
                assertThat(NetworkPlan.file(plan.serviceNamespace())).doesNotExist();
                assertThat(NetworkPlan.file(plan.switchNamespace())).doesNotExist();
                assertThat(Path.of("/sys/class/net", plan.tap(0))).doesNotExist();
            });
        }
        assertThat(domains()).containsExactlyInAnyOrder("vse-" + FOREIGN + "-0", "vse-" + FOREIGN + "-1");
        assertThat(NetworkPlan.file(other.serviceNamespace())).exists();
        assertThat(NetworkPlan.file(other.switchNamespace())).exists();
        assertThat(Path.of("/sys/class/net", other.tap(0))).exists();
    }

    @Test
    void aJobWhoseJournalIsDamagedIsPutAsideAndKeepsNobodyFromWorking() throws IOException {
        Desk root = site.root();
        Started run = root.start(
                "run", root.script("s.sh", Scripts.saysStartedAnd("sleep 1000")).toString());
        run.awaitOut("started");
        run.signal(9);
        Victim.kill(Victim.vsed(site));
        Path job = Victim.awaitStep(site, "run");
        String journal = Files.readString(job.resolve("journal"));
        Files.writeString(
                job.resolve("journal"),
                "rubbish\n" + journal,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        root.vse("up").expect(0);
        await("the end of the machine")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(Remains.ofJobs(site)).isEmpty());
        assertThat(site.state().resolve("broken").resolve(String.valueOf(job.getFileName())))
                .isDirectoryContaining(file -> file.endsWith("journal"));
        assertThat(root.vse("job", "ls").expect(0).out()).doesNotContain(run.job());
    }

    private void create(String name, String metadata) throws IOException {
        Path file = site.state().resolve(name + ".xml");
        Files.writeString(
                file,
                "<domain type='qemu'><name>" + name + "</name>" + metadata
                        + "<memory unit='MiB'>32</memory><vcpu>1</vcpu>"
                        + "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>");
        virsh("create", file.toString(), "--paused").orThrow("making a machine");
    }

    private List<String> domains() {
        return virsh("list", "--name")
                .stdout()
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
    }

    private org.vse.process.CommandResult virsh(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(
                "virsh", "-q", "-c", "qemu+unix:///system?socket=" + site.run().resolve("libvirt/libvirt-sock")));
        argv.addAll(List.of(arguments));
        return commands.run(Command.of(argv));
    }
}
