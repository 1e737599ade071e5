package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.handler.ssl.JdkSslContext;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageSource;
import org.vse.imagestore.ImageSourceContract;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.ImageTransfer;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.peer.PeerSource;
import org.vse.job.peer.SiteAuthority;

/** Images from another node's daemon, over TLS on the loopback. */
@Timeout(120)
class PeerSourceTest extends ImageSourceContract {
    private static final Duration DAY = Duration.ofDays(1);

    private final List<PeerServer> servers = new ArrayList<>();
    private final List<PeerClient> clients = new ArrayList<>();
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void end() {
        clients.forEach(PeerClient::close);
        servers.forEach(PeerServer::close);
    }

    @Override
    protected ImageSource source(ImageStore store) {
        return source(store, Duration.ofSeconds(30), call -> {});
    }

    private ImageSource source(ImageStore store, Duration patience, Consumer<Call> before) {
        PeerImages images = new PeerImages(new DirectorySource(store.root()));
        return source(patience, listen(before, images, Duration.ofSeconds(30)));
    }

    private InetSocketAddress listen(Consumer<Call> before, PeerImages images, Duration taking) {
        PeerServer server = new PeerServer(
                call -> {
                    asked.add(String.valueOf(call.query().get("index")));
                    before.accept(call);
                    try {
                        images.answer(call);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                JobFixture.json(),
                identity("head"),
                taking);
        servers.add(server);
        return server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private ImageSource source(Duration patience, InetSocketAddress address) {
        PeerNodes nodes = PeerNodes.parse("head=127.0.0.1:" + address.getPort(), 1);
        PeerClient client = new PeerClient(identity("n1"), nodes, JobFixture.json());
        clients.add(client);
        return new PeerSource("head", client, JobFixture.json(), patience);
    }

    private PeerIdentity identity(String node) {
        SiteAuthority authority = new SiteAuthority(temp.resolve("ca"));
        if (!Files.exists(temp.resolve("ca"))) {
            authority.init("here", DAY, Instant.now());
        }
        Path files = temp.resolve("certs-" + node + "-" + servers.size());
        authority.issue(node, files, DAY, Instant.now());
        return PeerIdentity.read(files, node, Instant.now());
    }

    private ImageTransfer transfer(ImageSource source) {
        return new ImageTransfer(new ImageStore(temp.resolve("here")), List.of(source), Duration.ofSeconds(60));
    }

    private static VseException fails(Runnable call) {
        VseException e = catchThrowableOfType(VseException.class, call::run);
        assertThat(e).isNotNull();
        return e;
    }

    @Test
    void anImageArrivesWholeAndIsWhatItsDigestSays() throws IOException {
        Image brought = transfer(source(there)).bring(image.digest(), bytes -> {});
        assertThat(Files.mismatch(brought.disk(), image.disk())).isEqualTo(-1);
        new ImageStore(temp.resolve("here")).verify(brought);
    }

    @Test
    void afterACutTheNextTransferGoesOn() {
        ImageSource cut = source(there, Duration.ofSeconds(30), call -> {
            if ("1".equals(call.query().get("index"))) {
                servers.get(0).close();
            }
        });
        VseException e = fails(() -> transfer(cut).bring(image.digest(), bytes -> {}));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(e.what()).contains("head");
        asked.clear();
        transfer(source(there)).bring(image.digest(), bytes -> {});
        assertThat(asked).startsWith("null", "1", "2");
    }

    @Test
    void whoStallsIsNamed() {
        ImageSource stalls = source(there, Duration.ofMillis(300), call -> {
            if (call.query().containsKey("index")) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException ended) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        VseException e = fails(() -> transfer(stalls).bring(image.digest(), bytes -> {}));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(e.render()).contains("'head'", "no answer in time");
    }

    @Test
    void whoStallsWhileReadingIsCutOffAndTheTurnGoesToTheNext() throws Exception {
        PeerImages one = new PeerImages(new DirectorySource(there.root()), 1, 8, Duration.ofSeconds(60));
        InetSocketAddress address = listen(call -> {}, one, Duration.ofMillis(500));
        String ask = "GET /v1/images/piece?file=disk.qcow2&index=0&image=" + image.digest()
                + " HTTP/1.1\r\nHost: head\r\n\r\n";
        SSLContext tls = ((JdkSslContext) identity("n2").client()).context();
        try (Socket reader = new Socket()) {
            // Less than a piece, and several of them: the kernels of both sides take some of what nobody reads.
            reader.setReceiveBufferSize(4096);
            reader.connect(address);
            Socket caller = tls.getSocketFactory().createSocket(reader, "head", address.getPort(), true);
            caller.getOutputStream().write(ask.repeat(4).getBytes(StandardCharsets.US_ASCII));
            caller.getOutputStream().flush();
            ImageSource next = source(Duration.ofSeconds(60), address);
            ImageSource.Piece piece = new ImageSource.Piece(image.digest(), "disk.qcow2", 1);
            assertThat(next.piece(piece)).hasSize(4 << 20);
            assertThatThrownBy(() -> {
                        while (caller.getInputStream().readNBytes(1 << 20).length == 1 << 20) {}
                        throw new EOFException();
                    })
                    .as("the end comes before four pieces have")
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void whoComesBeyondTheBoundWaitsForATurnAndIsToldWhenThereIsNone() throws Exception {
        CountDownLatch going = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        ImageSource held = new Held(new DirectorySource(there.root()), going, goOn);
        InetSocketAddress brief =
                listen(call -> {}, new PeerImages(held, 1, 8, Duration.ofMillis(50)), Duration.ofSeconds(30));
        ImageSource source = source(Duration.ofSeconds(60), brief);
        CompletableFuture<byte[]> first = CompletableFuture.supplyAsync(
                () -> source.piece(new ImageSource.Piece(image.digest(), "disk.qcow2", 0)));
        going.await();
        VseException e = fails(() -> source.manifest(image.digest()));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(e.render()).contains("'head'", "too many nodes fetch images", "DAEMON_BUSY");
        goOn.countDown();
        assertThat(first.get()).hasSize(4 << 20);
        assertThat(source.manifest(image.digest())).isNotEmpty();
    }

    /** Sends pieces when it is told to. */
    private record Held(ImageSource source, CountDownLatch going, CountDownLatch goOn) implements ImageSource {
        @Override
        public String name() {
            return source.name();
        }

        @Override
        public Optional<String> digest(String tagged) {
            return source.digest(tagged);
        }

        @Override
        public byte[] manifest(String digest) {
            return source.manifest(digest);
        }

        @Override
        public byte[] piece(Piece piece) {
            going.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return source.piece(piece);
        }
    }

    @Test
    void otherBytesAreNotTaken() throws IOException {
        byte[] bytes = Files.readAllBytes(image.disk());
        bytes[5 << 20] ^= 1;
        Files.setPosixFilePermissions(image.disk(), PosixFilePermissions.fromString("rw-r--r--"));
        Files.write(image.disk(), bytes);
        VseException e = fails(() -> transfer(source(there)).bring(image.digest(), each -> {}));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(e.what()).contains("other bytes");
    }
}
