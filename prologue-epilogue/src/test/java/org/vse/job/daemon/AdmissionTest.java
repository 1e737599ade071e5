package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Provides;
import org.vse.job.Standing;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.JobScript;
import org.vse.policy.Share;
import org.vse.policy.layer.Applicant;
import org.vse.policy.layer.Explanation;
import org.vse.policy.layer.Policy;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;
import org.vse.scheduler.PbsResources;
import org.vse.scheduler.local.CoreLease;

class AdmissionTest {
    @TempDir
    Path dir;

    private TestNode node;

    @BeforeEach
    void start() throws IOException {
        node = new TestNode(dir, new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), FakeGuest.silent()));
        node.publish("disk".getBytes(StandardCharsets.UTF_8), Set.of(Provides.NFS, Provides.NINE_P));
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private Admission admit(String header, JobRecord.User user, Path cwd) {
        Submission base = TestNode.submission(header);
        return Admission.of(
                new Submission(
                        base.script(),
                        List.of("x"),
                        null,
                        cwd.toString(),
                        Map.of(),
                        false,
                        null,
                        new JobRecord.Terminal(24, 80, "dumb"),
                        List.of()),
                user,
                Policy.vendor(),
                node.node().images(),
                Standing.ROOT);
    }

    private VseException refused(String header, JobRecord.User user, Path cwd) {
        VseException failure = catchThrowableOfType(VseException.class, () -> admit(header, user, cwd));
        assertThat(failure).as(header).isNotNull();
        return failure;
    }

    private static JobRecord record(Admission admission) {
        return admission.record(
                "me",
                "here",
                Admission.Identity.local("local-1"),
                new CoreLease("local-1", List.of(3), 0, false),
                70_000,
                71_000,
                Instant.EPOCH);
    }

    @Test
    void sharingCoresIsRefusedAtItsLineWhereTheNodeDoesNotAllowIt() {
        Admission admission = admit("#!/bin/sh\n#VSE image=test oversubscribe=yes", TestNode.ROOT, dir);
        admission.requireSharing(2);
        VseException failure = catchThrowableOfType(VseException.class, () -> admission.requireSharing(1));
        assertThat(failure.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(failure.where()).isEqualTo("/home/carol/job.sh:2:31");
        admit("#VSE image=test", TestNode.ROOT, dir).requireSharing(1);
    }

    @Test
    void rootGetsNoShareAndIsTold() {
        Admission admission = admit("#VSE image=test", TestNode.ROOT, Path.of("/root"));
        assertThat(admission.share()).isEqualTo(Share.NONE);
        assertThat(admission.shared()).isEmpty();
        assertThat(admission.notices()).anyMatch(notice -> notice.contains("no directory is shared"));
    }

    @Test
    void rootThatAsksForAShareIsRefusedAtItsLine() {
        VseException failure = refused("#!/bin/sh\n#VSE image=test share=nfs", TestNode.ROOT, dir);
        assertThat(failure.code()).isEqualTo(ErrorCode.SHARE_ROOT);
        assertThat(failure.where()).startsWith("/home/carol/job.sh:2:");
        assertThat(refused("#VSE image=test share=9p", TestNode.ROOT, dir).code())
                .isEqualTo(ErrorCode.SHARE_ROOT);
    }

    @Test
    void aDirectoryWhereTheGuestHasItsOwnCannotBeTheWorkingDirectory() {
        for (String own : List.of("/", "/usr/share", "/etc", "/var/tmp", "/proc/self", "/tmp/../etc")) {
            VseException failure = refused("#VSE image=test share=nfs", TestNode.CAROL, Path.of(own));
            assertThat(failure.code()).as(own).isEqualTo(ErrorCode.SHARE_UNSUPPORTED);
        }
        assertThat(admit("#VSE image=test share=none", TestNode.CAROL, Path.of("/etc"))
                        .shared())
                .isEmpty();
    }

    @Test
    void aHomeThatCannotBeEnteredIsLeftOutWithAWord() throws IOException {
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path work = Files.createDirectory(dir.resolve("work"));
        Admission admission = admit("#VSE image=test", TestNode.CAROL, work);
        assertThat(admission.shared()).containsExactly(new JobRecord.SharedPath(work.toString(), work.toString()));
        assertThat(admission.notices()).anyMatch(notice -> notice.contains("/nonexistent/carol"));
        assertThat(refused("#VSE image=test", TestNode.CAROL, dir.resolve("missing"))
                        .code())
                .isEqualTo(ErrorCode.SHARE_UNSUPPORTED);
    }

    @Test
    void aDirectoryInTheHomeNeedsNoShareOfItsOwn() throws IOException {
        Path home = dir.resolve("home/carol");
        Files.createDirectories(home.resolve("a"));
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        JobRecord.User user =
                new JobRecord.User("carol", 4321, 4321, TestNode.CAROL.groups(), home.toString(), "/bin/bash");
        assertThat(admit("#VSE image=test", user, home.resolve("a")).shared())
                .containsExactly(new JobRecord.SharedPath(home.toString(), home.toString()));
    }

    @Test
    void anOrdinaryUsersJobIsToldInOneLineWhatThereIsNot() throws IOException {
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Submission base = TestNode.submission("#VSE image=test");
        Submission here = new Submission(
                base.script(),
                List.of(),
                null,
                dir.toString(),
                Map.of(),
                false,
                null,
                new JobRecord.Terminal(24, 80, "dumb"),
                List.of());
        Admission admission =
                Admission.of(here, TestNode.CAROL, Policy.vendor(), node.node().images(), Standing.ORDINARY);
        assertThat(admission.share()).isEqualTo(Share.P9);
        assertThat(admission.notices().stream().filter(OrdinaryJob.NOTICE::equals))
                .hasSize(1);
        assertThat(OrdinaryJob.NOTICE).doesNotContain("\n");
    }

    @Test
    void onlyANinePMachineRunsAsItsUser() throws IOException {
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        JobRecord ninep = record(admit("#VSE image=test share=9p", TestNode.CAROL, dir));
        assertThat(ninep.qemuUid()).isEqualTo(4321);
        assertThat(ninep.qemuGid()).isEqualTo(4321);
        JobRecord nfs = record(admit("#VSE image=test share=nfs", TestNode.CAROL, dir));
        assertThat(nfs.qemuUid()).isEqualTo(70_000);
        assertThat(nfs.qemuGid()).isEqualTo(71_000);
        assertThat(nfs.machines().get(0).cores()).containsExactly(3);
        assertThat(nfs.arguments()).containsExactly("x");
    }

    @Test
    void whatIsWrongIsSaidBeforeAnythingStarts() {
        assertThat(refused("#VSE image=nope", TestNode.CAROL, dir).code()).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(refused("echo", TestNode.CAROL, dir).code()).isEqualTo(ErrorCode.DIRECTIVE_IMAGE_MISSING);
        assertThat(refused("#VSE image=test\n" + "#".repeat(600_000), TestNode.CAROL, dir)
                        .code())
                .isEqualTo(ErrorCode.SCRIPT_UNREADABLE);
    }

    @Test
    void aDirectiveThatComesTooLateIsMentioned() {
        Admission admission = admit("#VSE image=test share=none\necho\n#VSE vcpus=4", TestNode.CAROL, Path.of("/tmp"));
        assertThat(admission.notices()).anyMatch(notice -> notice.startsWith("/home/carol/job.sh:3"));
    }

    private VseException refusedBy(String policy, Submission submission) {
        return catchThrowableOfType(
                VseException.class,
                () -> Admission.of(
                        submission,
                        TestNode.CAROL,
                        Policy.site("/etc/vse/policy.yaml", policy),
                        node.node().images(),
                        Standing.ROOT));
    }

    @Test
    void aSiteWithoutAPolicyForTheQueueRunsNothingInIt() {
        assertThat(refusedBy("queues: { batch: }", TestNode.submission("#VSE image=test"))
                        .code())
                .isEqualTo(ErrorCode.POLICY_QUEUE_DENIED);
    }

    @Test
    void aHeadServesOneDirectoryThatIsNotTheSystems() {
        String policy =
                "queues: { local: { images: { allow: [test] }, plug-ins: { allow: ['*'] }, enforce: { share: none } } }";
        for (String word :
                List.of("", ":/", ":/etc/ssh", ":/var/x", ":scratch", ":/a/../etc", ":/./etc", ":/a//b", ":/a/")) {
            VseException failure = refusedBy(policy, TestNode.submission("#VSE image=test plug-ins=nfs-server" + word));
            assertThat(failure.code()).as(word).isEqualTo(ErrorCode.PLUG_IN_FAILED);
            assertThat(failure.what()).endsWith("is not a directory that a head can serve");
            assertThat(failure.where()).isEqualTo("/home/carol/job.sh:1:26");
        }
        assertThat(refusedBy(policy, TestNode.submission("#VSE image=test plug-ins=nfs-server:/a,nfs-server:/b"))
                        .what())
                .isEqualTo("a head serves one directory, not 2");
        assertThat(refusedBy(policy, TestNode.submission("#VSE image=test plug-ins=nfs-server:/scratch/..a")))
                .isNull();
    }

    @Test
    void aDescriptionIsTakenFromTheSubmissionAndNeverFromTheDisk() throws IOException {
        Path file = Files.writeString(dir.resolve("a.yaml"), "image: test\nshare: none\nmemory: 1GiB\n");
        Submission base = TestNode.submission("#VSE vse=" + file);
        assertThat(refusedBy("queues: { local: { images: { allow: ['*'] } } }", base)
                        .what())
                .endsWith("did not come with the script");
        Submission sent = new Submission(
                base.script(),
                List.of(),
                null,
                "/tmp",
                Map.of(),
                false,
                null,
                new JobRecord.Terminal(24, 80, "dumb"),
                List.of(new Submission.Script(file.toString(), "image: test\nshare: none\nmemory: 2GiB\n")));
        Admission admission =
                Admission.of(sent, TestNode.CAROL, Policy.vendor(), node.node().images(), Standing.ROOT);
        assertThat(admission.description().memoryBytes()).isEqualTo(2L << 30);
        VseException limited =
                refusedBy("queues: { local: { images: { allow: ['*'] }, limits: { memory: 1GiB } } }", sent);
        assertThat(limited.where()).isEqualTo(file + ":3:9");
        assertThat(limited.facts().get("forbidden by")).isEqualTo("limits.memory at /etc/vse/policy.yaml:1:64");
    }

    @Test
    void whatSubmitRefusesExplainRefusesToTheLetter() {
        String policy =
                "queues: { local: { images: { allow: [test] }, users: { deny: [dave] }, enforce: { share: none }, "
                        + "limits: { memory: 1GiB, vms: 2 } } }";
        for (String header : List.of(
                "#VSE image=other",
                "#VSE image=test share=nfs",
                "#VSE image=test memory=2GiB",
                "#VSE image=other share=9p memory=2GiB",
                "#VSE memory=1GiB",
                "#PBS -l nodes=3:ppn=1\n#VSE image=test vms-per-node=1")) {
            VseException submit = refusedBy(policy, TestNode.submission(header));
            assertThat(submit).as(header).isNotNull();
            JobScript script = JobScript.parse("/home/carol/job.sh", header + "\necho hello\n");
            Explanation explained = Explanation.of(Policy.site("/etc/vse/policy.yaml", policy)
                    .judge(
                            Admission.QUEUE,
                            script,
                            List.of(),
                            new Applicant(
                                    TestNode.CAROL.name(),
                                    List.of("carol"),
                                    PbsResources.read(script).nodes(),
                                    OptionalInt.empty())));
            assertThat(explained.refusals().get(0).render()).isEqualTo(submit.render());
        }
    }
}
