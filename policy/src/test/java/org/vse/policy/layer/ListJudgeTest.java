package org.vse.policy.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.VseException;
import org.vse.policy.HostMount;
import org.vse.policy.JobDescription;
import org.vse.policy.JobScript;

/** Services, mounts, options of the kernel, plug-ins, devices and root: nothing is allowed that no layer allows. */
class ListJudgeTest {
    private static final String POLICY = """
            queues:
              none:
                images: { allow: ["*"] }
              some:
                images: { allow: ["*"] }
                mounts: { read: ["/data/*"], write: ["/scratch/*"] }
                boot: { allow: ["*"], deny: ["mitigations=*"] }
                services: { allow: [ssh, "m*"], deny: [mysql] }
                plug-ins: { allow: [hostfile] }
                hostdev: { allow: ["0000:3b:00.*"] }
                packages: { allow: [hello, "lib*"], deny: [libvirt0] }
                files: { allow: ["/etc/motd", "/opt/*"] }
                run: { allow: ["ldconfig", "/opt/site/*"] }
                limits: { root: [no, yes], vcpus: 2, memory-per-job: 4GiB, boot-timeout: 60, build-timeout: 120, build-size: 64MiB }
              hacker:
                extends: some
                boot: { allow: { add: ["init=/bin/*"] } }
            """;

    private static Judgement judge(String queue, String line) {
        return Policy.site("/etc/vse/policy.yaml", POLICY)
                .judge(
                        queue,
                        JobScript.parse("job.sh", "#VSE image=a\n#VSE " + line + "\n"),
                        List.of(),
                        new Applicant("alice", List.of(), 2, OptionalInt.empty()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mounts=/scratch/alice",
                "boot=quiet",
                "services=ssh",
                "head-services=ssh",
                "plug-ins=hostfile",
                "hostdev=0000:3b:00.0",
                "packages=hello",
                "packages=-hello",
                "files=delete:/etc/motd",
                "run=ldconfig",
                "root=yes"
            })
    void isRefusedWhereNoLayerSaysAWord(String line) {
        List<VseException> refusals = judge("none", line).refusals();
        assertThat(refusals).hasSize(1);
        String by = line.startsWith("root") ? "limits.root at vendor.yaml:4:19" : "no layer says ";
        assertThat(refusals.get(0).what()).isEqualTo("'" + line + "' is not allowed in queue 'none'");
        assertThat(refusals.get(0).facts())
                .extractingByKey("forbidden by")
                .asString()
                .startsWith(by);
        assertThat(refusals.get(0).where()).isEqualTo("job.sh:2:" + (line.indexOf('=') + 7));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mounts=/data/x,/scratch/a/b:rw,/scratch/c",
                "boot=nosmt,quiet",
                "services=ssh,munge",
                "plug-ins=hostfile:mpich",
                "hostdev=0000:3b:00.1",
                "packages=hello,libc6,-libfoo",
                "files=copy:motd:/etc/motd,link:/opt/x:/opt/y,edit:/opt/z:s/a=b/c/,delete:/opt/x/y",
                "run=/opt/site/prepare",
                "build-timeout=120 build-size=64MiB",
                "root=yes",
                "head-vcpus=2 head-memory=1GiB boot-timeout=60"
            })
    void isAllowedWhereALayerNamesIt(String line) {
        assertThat(judge("some", line).refusals()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "mounts=/data/x:rw, mounts=/data/x:rw, mounts.write at /etc/vse/policy.yaml:6:",
        "mounts=/etc, mounts=/etc, mounts.read at /etc/vse/policy.yaml:6:",
        "mounts=/database/x, mounts=/database/x, mounts.read at /etc/vse/policy.yaml:6:",
        "boot=mitigations=off, boot=mitigations=off, boot.deny 'mitigations=*' at /etc/vse/policy.yaml:7:",
        "boot=init=/bin/sh, boot=init=/bin/sh, boot.allow at /etc/vse/policy.yaml:7:",
        "boot=rdinit=/bin/sh, boot=rdinit=/bin/sh, boot.allow at /etc/vse/policy.yaml:7:",
        "services=mysql, services=mysql, services.deny 'mysql' at /etc/vse/policy.yaml:8:",
        "plug-ins=license, plug-ins=license, plug-ins.allow at /etc/vse/policy.yaml:9:",
        "hostdev=0000:af:00.0, hostdev=0000:af:00.0, hostdev.allow at /etc/vse/policy.yaml:10:",
        "head-vcpus=3, head-vcpus=3, limits.vcpus at /etc/vse/policy.yaml:14:",
        "boot-timeout=61, boot-timeout=61, limits.boot-timeout at /etc/vse/policy.yaml:14:",
        "packages=libvirt0, packages=libvirt0, packages.deny 'libvirt0' at /etc/vse/policy.yaml:11:",
        "packages=-nano, packages=-nano, packages.allow at /etc/vse/policy.yaml:11:",
        "files=delete:/etc/passwd, files=delete:/etc/passwd, files.allow at /etc/vse/policy.yaml:12:",
        "run=/bin/sh, run=/bin/sh, run.allow at /etc/vse/policy.yaml:13:",
        "build-timeout=121, build-timeout=121, limits.build-timeout at /etc/vse/policy.yaml:14:",
        "build-size=65MiB, build-size=65MiB, limits.build-size at /etc/vse/policy.yaml:14:"
    })
    void theRefusalNamesTheWordAndTheForbiddingLine(String line, String word, String by) {
        List<VseException> refusals = judge("some", line).refusals();
        assertThat(refusals).hasSize(1);
        assertThat(refusals.get(0).what()).startsWith("'" + word + "' is ");
        assertThat(refusals.get(0).facts())
                .extractingByKey("forbidden by")
                .asString()
                .startsWith(by);
    }

    @Test
    void anotherFirstProgramOnlyWhereThePolicyNamesIt() {
        assertThat(judge("hacker", "boot=init=/bin/sh").refusals()).isEmpty();
        assertThat(judge("hacker", "boot=init=/sbin/x").refusals()).hasSize(1);
    }

    @Test
    void theLargerOfHeadAndWorkerCountsForAll() {
        assertThat(judge("some", "head-memory=3GiB").refusals())
                .extracting(VseException::what)
                .containsExactly("'nodes=2 × vms-per-node=1 × head-memory=3GiB' is more than queue 'some' allows");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/scratch/../etc", "/scratch/.", "scratch", "/", "/a//b", "/a:rx", "/a,/a"})
    void aMountIsAPlainPath(String path) {
        assertThat(refused("#VSE mounts=" + path).what()).startsWith("'");
    }

    private static VseException refused(String line) {
        return org.assertj.core.api.Assertions.catchThrowableOfType(
                VseException.class, () -> JobScript.parse("job.sh", line + "\n"));
    }

    @Test
    void rolesListsAndTruthComeFromADescription() {
        List<Layer> layers = DescriptionFiles.layers(
                JobScript.parse("job.sh", "#VSE vse=a.yaml\n"), java.nio.file.Path.of("/d"), file -> """
                        image: debian-12
                        mounts: [/scratch/a:rw, /data/b]
                        boot: [nosmt, quiet]
                        root: true
                        roles:
                          head: { vcpus: 1, memory: 2GiB, services: [ssh, munge] }
                          worker: { vcpus: 2, services: [munge] }
                        """);
        JobDescription job = Policy.site("/etc/vse/policy.yaml", POLICY)
                .judge(
                        "some",
                        JobScript.parse("job.sh", "#VSE vse=a.yaml\n"),
                        layers,
                        new Applicant("alice", List.of(), 1, OptionalInt.empty()))
                .description();
        assertThat(job.headVcpus()).hasValue(1);
        assertThat(job.vcpus()).hasValue(2);
        assertThat(job.headMemoryBytes()).isEqualTo(2L << 30);
        assertThat(job.additions().servicesOf(0)).containsExactly("ssh", "munge");
        assertThat(job.additions().servicesOf(7)).containsExactly("munge");
        assertThat(job.additions().mounts())
                .containsExactly(new HostMount("/scratch/a", true), new HostMount("/data/b", false));
        assertThat(job.additions().boot()).containsExactly("nosmt", "quiet");
        assertThat(job.additions().root()).isTrue();
    }
}
