package org.vse.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ProcessIdentityTest {
    private Process process;
    private ProcessIdentity identity;

    @BeforeEach
    void start() throws IOException {
        process = new ProcessBuilder("cat").start();
        identity = ProcessIdentity.of(process.pid()).orElseThrow();
    }

    @AfterEach
    void end() {
        process.destroyForcibly();
    }

    @Test
    void aLivingProcessIsRecognised() {
        assertThat(identity.alive()).isTrue();
        assertThat(ProcessIdentity.of(process.pid())).contains(identity);
    }

    @Test
    void aSignalReachesIt() throws InterruptedException {
        assertThat(identity.signal(15)).isTrue();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(128 + 15);
        assertThat(identity.alive()).isFalse();
        assertThat(identity.signal(15)).isFalse();
    }

    @Test
    void aRecycledPidIsAnotherProcessAndGetsNoSignal() {
        var earlier = new ProcessIdentity(identity.pid(), identity.startTicks() - 1);
        assertThat(earlier.alive()).isFalse();
        assertThat(earlier.signal(9)).isFalse();
        assertThat(identity.alive()).isTrue();
    }

    @Test
    void aZombieHasEnded() throws IOException {
        // The shell becomes a program that waits for none of its children.
        Process parent = new ProcessBuilder("sh", "-c", "sleep 0 & echo $!; exec cat").start();
        try {
            long pid = Long.parseLong(parent.inputReader().readLine());
            while (ProcessIdentity.of(pid).isPresent()) {
                Thread.onSpinWait();
            }
            assertThat(ProcessHandle.of(pid)).as("it is still there").isPresent();
        } finally {
            parent.destroyForcibly();
        }
    }

    @Test
    void thereIsNoProcessOfAnImpossiblePid() {
        assertThat(ProcessIdentity.of(Integer.MAX_VALUE)).isEmpty();
        assertThat(new ProcessIdentity(Integer.MAX_VALUE, 1).signal(9)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"cat", "a b", ") S 1 (", "\u00ff\u0080", ")) Z 0", "x\ny"})
    void theNameMayBeAnything(String name) {
        String stat = "12 (" + name + ") S 1 12 12 0 -1 4194560 92 0 0 0 0 0 0 0 20 0 1 0 4711 2703360 200";
        assertThat(ProcessIdentity.parse(12, stat)).contains(new ProcessIdentity(12, 4711));
        assertThat(ProcessIdentity.parse(12, stat.replace(") S 1 12", ") Z 1 12")))
                .isEmpty();
    }

    @Test
    void aProcessWhoseNameIsNotUtf8IsSeen() throws IOException {
        Process odd =
                new ProcessBuilder("bash", "-c", "printf '\\377\\200' > /proc/$$/comm; echo named; read line").start();
        try {
            assertThat(odd.inputReader().readLine()).isEqualTo("named");
            assertThat(ProcessIdentity.of(odd.pid())).isPresent();
        } finally {
            odd.destroyForcibly();
        }
    }
}
