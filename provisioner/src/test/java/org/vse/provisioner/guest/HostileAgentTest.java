package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;

/** A guest that answers whatever it likes: always the documented error, soon, and at no great cost. */
@Timeout(20)
class HostileAgentTest {
    private static final List<String> TRUE = List.of("/bin/true");

    /** Answers with these texts in turn, the last one for ever. */
    private static AgentGuestControl answering(String... replies) {
        Queue<String> queue = new ArrayDeque<>(List.of(replies));
        return new AgentGuestControl((json, timeout) -> {
            String reply = queue.element();
            if (queue.size() > 1) {
                queue.remove();
            }
            return reply;
        });
    }

    private static void assertProtocol(AgentGuestControl guest) {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.exec(TRUE, new byte[0], Duration.ofSeconds(5), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_PROTOCOL))
                .satisfies(e -> assertThat(e.facts()).containsKeys("expected", "found"))
                .satisfies(
                        e -> assertThat(e.render()).matches("[\\x20-\\x7e\n…]*").hasSizeLessThan(1200));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "5",
                "[]",
                "{}",
                "{\"return\":",
                "{\"return\":5}",
                "{\"return\":null}",
                "{\"return\":{}}",
                "{\"return\":[{\"pid\":5}]}",
                "{\"return\":{\"pid\":\"5\"}}",
                "{\"return\":{\"pid\":5.0}}",
                "{\"return\":{\"pid\":5e0}}",
                "{\"return\":{\"pid\":0}}",
                "{\"return\":{\"pid\":-1}}",
                "{\"return\":{\"pid\":4194305}}",
                "{\"return\":{\"pid\":99999999999999999999999}}",
                "{\"return\":{\"pid\":9223372036854775808}}",
                "{\"return\":{\"pid\":5,\"pid\":6}}",
                "{\"return\":{\"pid\":5,\"more\":[]}}",
                "{\"return\":{\"pid\":5,\"more\":{}}}",
                "{\"return\":{\"pid\":5,\"more\":null}}",
                "{\"return\":{\"pid\":5}} {\"return\":{\"pid\":5}}",
                "{\"return\":{\"pid\":5},\"id\":7}",
                "{\"return\":{\"pid\":5},\"return\":{\"pid\":6}}",
                "{\"error\":\"no\"}",
                "{\"error\":{\"class\":\"GenericError\"}}",
                "{\"event\":\"RESET\"}",
                "{'return':{'pid':5}}",
                "\u001b[2J\u0000\ufffd\ud800<script>"
            })
    void theReplyToTheLaunch(String reply) {
        assertProtocol(answering(reply));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"return\":{\"exited\":\"yes\"}}",
                "{\"return\":{\"exited\":1}}",
                "{\"return\":{\"exited\":true}}",
                "{\"return\":{\"exited\":true,\"exitcode\":256}}",
                "{\"return\":{\"exited\":true,\"exitcode\":-1}}",
                "{\"return\":{\"exited\":true,\"signal\":0}}",
                "{\"return\":{\"exited\":true,\"signal\":65}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":5}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"?\"}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"err-data\":\"YQ==YQ==\"}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"err-data\":\"\u20ac\"}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-truncated\":true}}",
                "{\"return\":{\"exited\":true,\"exitcode\":0,\"err-truncated\":\"x\"}}"
            })
    void theReplyToTheQuestionForTheEnd(String reply) {
        assertProtocol(answering("{\"return\":{\"pid\":5}}", reply));
    }

    @Test
    void hundredMegabytes() {
        assertProtocol(answering("x".repeat(100 << 20)));
        assertProtocol(answering("{\"return\":{\"pid\":\"" + "9".repeat(100 << 20) + "\"}}"));
    }

    @Test
    void asMuchAsIsAllowedAndAllOfItUseless() {
        String filler = "[".repeat(GuestReply.MAX_BYTES - 100);
        assertProtocol(answering("{\"return\":{\"pid\":" + filler));
        assertProtocol(answering(filler));
        StringBuilder members = new StringBuilder("{\"return\":{");
        for (int i = 0; members.length() < GuestReply.MAX_BYTES - 100; i++) {
            members.append("\"a").append(i).append("\":0,");
        }
        assertProtocol(answering(members + "\"pid\":5}}"));
        assertProtocol(answering("{\"return\":{\"" + "n".repeat(1 << 20) + "\":5}}"));
        assertProtocol(answering("{\"return\":{\"pid\":" + "1".repeat(1 << 20) + "}}"));
    }

    @Test
    void oneMemberMoreOfAScalarTypeIsNewerAndNotHostile() {
        assertThat(answering(
                                "{\"return\":{\"pid\":5,\"new\":\"x\"}}",
                                "{\"return\":{\"exited\":false}}",
                                "{\"return\":{\"exited\":true,\"signal\":9,\"out-data\":\"YQ==\",\"new\":true}}")
                        .exec(TRUE, new byte[0], Duration.ofSeconds(5), 100))
                .isEqualTo(new GuestControl.GuestResult(137, "a", ""));
    }

    @Test
    void aProgramThatNeverEndsIsAskedForAtADecentPace() {
        AtomicInteger questions = new AtomicInteger();
        AgentGuestControl guest = new AgentGuestControl((json, timeout) -> {
            questions.incrementAndGet();
            return json.contains("guest-exec-status") ? "{\"return\":{\"exited\":false}}" : "{\"return\":{\"pid\":5}}";
        });
        long begin = System.nanoTime();
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.exec(TRUE, new byte[0], Duration.ofSeconds(1), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_UNRESPONSIVE));
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(4));
        assertThat(questions.get()).isBetween(3, 32);
    }

    @Test
    void aRequestThatIsTooLargeIsNotSent() {
        AgentGuestControl guest = new AgentGuestControl((json, timeout) -> {
            throw new AssertionError("sent");
        });
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.exec(
                        List.of("/bin/true", "\u0001".repeat(1 << 20)), new byte[0], Duration.ofSeconds(1), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE));
    }

    @Test
    void anAgentThatForgetsItsPrograms() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> answering(
                                "{\"return\":{\"pid\":5}}",
                                "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Invalid parameter 'pid'\"}}")
                        .exec(TRUE, new byte[0], Duration.ofSeconds(5), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_UNRESPONSIVE));
    }

    @Test
    void anAgentThatMayNotRunPrograms() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> answering("{\"error\":{\"class\":\"CommandNotFound\",\"desc\":"
                                + "\"Command guest-exec has been disabled\\u001b[31m\"}}")
                        .exec(TRUE, new byte[0], Duration.ofSeconds(5), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_SETUP_FAILED))
                .satisfies(e -> assertThat(e.facts())
                        .containsEntry("agent", "CommandNotFound: Command guest-exec has been disabled\\u001b[31m"));
    }

    @Test
    void noAgentAtAllIsAskedForAtADecentPaceUntilTheDeadline() {
        AtomicInteger pings = new AtomicInteger();
        AgentGuestControl guest = new AgentGuestControl((json, timeout) -> {
            pings.incrementAndGet();
            throw VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "no agent yet");
        });
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.awaitReady(Instant.now().plusMillis(700)))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.BOOT_TIMEOUT))
                .satisfies(e -> assertThat(e.facts()).containsEntry("last attempt", "no agent yet"));
        assertThat(pings.get()).isBetween(2, 30);
    }

    @Test
    void aMachineThatDiesEndsTheWaitAtOnce() {
        AgentGuestControl guest = new AgentGuestControl((json, timeout) -> {
            throw VseException.of(ErrorCode.GUEST_DIED, "gone");
        });
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.awaitReady(Instant.now().plusSeconds(60)))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_DIED));
    }

    @Test
    void theReplyToThePingIsCheckedToo() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() ->
                        answering("{\"return\":[]}").awaitReady(Instant.now().plusSeconds(60)))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_PROTOCOL));
    }

    /** What the peer of one connection does. */
    private interface Peer {
        void talk(SocketChannel channel, OutputStream out) throws IOException;
    }

    private static ErrorCode codeAgainst(Path directory, Peer peer) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            Path path = directory.resolve("s");
            server.bind(UnixDomainSocketAddress.of(path));
            Thread thread = new Thread(() -> {
                try (SocketChannel channel = server.accept()) {
                    peer.talk(channel, Channels.newOutputStream(channel));
                } catch (IOException e) {
                    // The other side has seen enough.
                    assertThat(e).isNotNull();
                }
            });
            thread.start();
            try (SocketAgentTransport transport = new SocketAgentTransport(path)) {
                new AgentGuestControl(transport).exec(TRUE, new byte[0], Duration.ofSeconds(2), 100);
                throw new AssertionError("no failure");
            } catch (VseException e) {
                return e.code();
            } finally {
                thread.interrupt();
                thread.join();
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Keeps the connection until the other side ends it. */
    private static void stay(SocketChannel channel) throws IOException {
        ByteBuffer ignored = ByteBuffer.allocate(1 << 16);
        while (channel.read(ignored.clear()) >= 0) {
            assertThat(ignored).isNotNull();
        }
    }

    @Test
    void silence(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(directory, (channel, out) -> stay(channel))).isEqualTo(ErrorCode.GUEST_UNRESPONSIVE);
    }

    @Test
    void aFloodThatNeverSynchronises(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(directory, (channel, out) -> {
                    byte[] zeros = new byte[1 << 20];
                    for (int i = 0; i < 100; i++) {
                        out.write(zeros);
                    }
                }))
                .isIn(ErrorCode.GUEST_PROTOCOL, ErrorCode.GUEST_UNRESPONSIVE);
    }

    @Test
    void aLineWithoutAnEnd(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(directory, (channel, out) -> {
                    out.write(bytes("\u00ff{\"return\": 1}\n"));
                    byte[] x = bytes("x".repeat(1 << 20));
                    for (int i = 0; i < 100; i++) {
                        out.write(x);
                    }
                }))
                .isEqualTo(ErrorCode.GUEST_PROTOCOL);
    }

    @Test
    void theEndInTheMiddleOfAReply(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(
                        directory, (channel, out) -> out.write(bytes("\u00ff{\"return\": 1}\n{\"return\": {\"pi"))))
                .isEqualTo(ErrorCode.GUEST_DIED);
    }

    @Test
    void bytesThatAreNoText(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(directory, (channel, out) -> {
                    out.write(bytes("\u00ff{\"return\": 1}\n{\"return\":\u00c3(}\n"));
                    stay(channel);
                }))
                .isEqualTo(ErrorCode.GUEST_PROTOCOL);
    }

    @Test
    void repliesToOtherRequests(@TempDir Path directory) throws Exception {
        assertThat(codeAgainst(directory, (channel, out) -> {
                    for (int i = 2; i < 1000; i++) {
                        out.write(bytes("\u00ff{\"return\": " + i + "}\n{\"return\": {\"pid\": 5}}\n"));
                    }
                    stay(channel);
                }))
                .isEqualTo(ErrorCode.GUEST_UNRESPONSIVE);
    }
}
