package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.guest.GuestControl.GuestResult;

class GuestSetupTest {
    private static final String PRIVATE = "-----BEGIN KEY-----\nsecret\n-----END KEY-----\n";

    private static GuestAccount alice(String home) {
        return new GuestAccount(
                "alice",
                1000,
                List.of(new GuestAccount.Group("alice", 1000), new GuestAccount.Group("dom users", 7)),
                home,
                "/bin/zsh");
    }

    private static final GuestSetup FULL = new GuestSetup(
            Instant.parse("2026-11-21T08:00:00.000000012Z"),
            "vm0",
            List.of(
                    new GuestSetup.Host("10.1.0.1", List.of("vm0", "vm0.job")),
                    new GuestSetup.Host("fd00::2", List.of("vm1"))),
            alice("/home/al ice"),
            Optional.of(new GuestNic("52:54:00:00:00:01", "10.1.0.1/24", Optional.empty(), 1450)),
            List.of(
                    new GuestMount.Nfs("10.1.0.254", "10.1.0.1", "/ho me", "/home/al ice", List.of("nconnect=2")),
                    new GuestMount.NineP("work", "/work")),
            List.of("/home/al ice/run"),
            List.of("vm0", "vm0", "vm1"),
            Optional.of(new GuestSetup.SshKey("ssh-ed25519 AAAA", PRIVATE)));

    @Test
    void everyStepInItsOrderWithItsValues() {
        assertThat(GuestConfigurator.arguments(FULL, Duration.ofSeconds(20)))
                .containsExactly(
                        ("clock|1795248000.000000012|hostname|vm0|host|10.1.0.1|vm0 vm0.job|host|fd00::2|vm1|hosts|"
                                        + "group|alice|1000|group|dom users|7|"
                                        + "user|alice|1000|1000|/home/al ice|/bin/zsh|"
                                        + "nic|52:54:00:00:00:01|10.1.0.1/24||1450|"
                                        + "mount|nfs4|vers=4.1,proto=tcp,port=2049,addr=10.1.0.254,clientaddr=10.1.0.1,"
                                        + "hard,timeo=600,retrans=2,sec=sys,actimeo=3,nconnect=2|10.1.0.254:/ho me|/home/al ice|20|"
                                        + "mount|9p|trans=virtio,version=9p2000.L,msize=262144,cache=mmap,access=client|"
                                        + "work|/work|20|"
                                        + "directory|/home/al ice|directory|/home/al ice/run|nodes|vm0\nvm0\nvm1|"
                                        + "key|ssh-ed25519 AAAA|sshd|tell")
                                .split("\\|", -1));
    }

    /** Says what it was asked and answers as it was told. */
    private record Recorder(GuestResult answer, List<List<String>> argvs, List<byte[]> inputs) implements GuestControl {
        @Override
        public void awaitReady(Instant deadline) {}

        @Override
        public GuestResult exec(List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes) {
            argvs.add(argv);
            inputs.add(stdin);
            return answer;
        }

        @Override
        public void setClock(Instant now) {}
    }

    private static Recorder answering(int exitCode, String stdout, String stderr) {
        return new Recorder(new GuestResult(exitCode, stdout, stderr), new ArrayList<>(), new ArrayList<>());
    }

    private static final GuestConfigurator CONFIGURATOR =
            new GuestConfigurator(Duration.ofSeconds(20), Duration.ofSeconds(60));

    @Test
    void theScriptIsConstantAndTheSecretTravelsOnStandardInput() {
        Recorder guest = answering(0, "", "");
        CONFIGURATOR.apply(guest, FULL);
        assertThat(guest.argvs().get(0).subList(0, 3)).containsExactly("/usr/lib/vse/sh", "-c", GuestScripts.SETUP);
        assertThat(guest.argvs().get(0)).noneMatch(argument -> argument.contains("secret"));
        assertThat(new String(guest.inputs().get(0), StandardCharsets.US_ASCII)).isEqualTo(PRIVATE);
        assertThat(FULL.toString()).doesNotContain("secret");
    }

    @Test
    void aFailureNamesItsStep() {
        Recorder guest = answering(32, "clock\nhosts\nmount\n", "mount: \u001b[31mconnection refused\n");
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> CONFIGURATOR.apply(guest, FULL))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_SETUP_FAILED))
                .satisfies(e -> assertThat(e.what()).isEqualTo("preparing the guest failed at step 'mount'"))
                .satisfies(e -> assertThat(e.facts())
                        .containsEntry("exit code", "32")
                        .containsEntry("said", "mount: \\u001b[31mconnection refused"));
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> CONFIGURATOR.apply(answering(1, "\u001b[2J", ""), FULL))
                .satisfies(e -> assertThat(e.what()).isEqualTo("preparing the guest failed at step 'start'"));
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> alice("home"));
        assertThatIllegalArgumentException().isThrownBy(() -> alice("/home\n"));
        assertThatIllegalArgumentException().isThrownBy(() -> alice("/a:b"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestAccount("root", 5, alice("/").groups(), "/", "/bin/sh"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestAccount("a", 0, alice("/").groups(), "/", "/bin/sh"));
        assertThatIllegalArgumentException().isThrownBy(() -> new GuestAccount("a", 1, List.of(), "/", "/bin/sh"));
        for (String name : List.of("", "a:b", "a\nb", "-a", " a", "a,b", "a/b")) {
            assertThatIllegalArgumentException().isThrownBy(() -> new GuestAccount.Group(name, 1));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestMount.Nfs("1.2.3.4,sec=none", "1.2.3.4", "/", "/", List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestMount.Nfs("1.2.3.4", "1.2.3.4", "/", "/", List.of("a,b")));
        assertThatIllegalArgumentException().isThrownBy(() -> new GuestMount.NineP("-o", "/"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestNic("52:54:00:00:00:01", "10.0.0.1", Optional.empty(), 1450));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GuestNic("52:54:00:00:00:01", "10.0.0.1/24", Optional.of("x y"), 1450));
        assertThatIllegalArgumentException().isThrownBy(() -> new GuestSetup.Host("10.0.0.1", List.of("a b")));
        assertThatIllegalArgumentException().isThrownBy(() -> new GuestSetup.SshKey("ssh-rsa A\nB", PRIVATE));
    }
}
