package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.WriteTimeoutHandler;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.peer.PeerIdentity;

/**
 * Listens for the daemons of other nodes. Who has no certificate of the site's authority gets no byte of an answer; who does not
 * take the bytes of one in time is cut off.
 */
final class PeerServer implements AutoCloseable {
    /** Connections that have not shown a certificate yet; more than so many are closed at once. */
    private static final int MOST_UNPROVEN = 256;

    private static final int HANDSHAKE_MILLIS = 5000;

    /** Until what was written is with the caller's host: 4 MiB at 70 kB a second. */
    private static final Duration TAKING = Duration.ofSeconds(60);

    private final AtomicInteger unproven = new AtomicInteger();
    private final CallDesk desk;
    private final PeerIdentity identity;
    private final Duration taking;
    private final TcpListener listener = new TcpListener("peer-listen");

    /**
     * Takes what answers calls.
     *
     * @param api answers each call of a node, or throws a {@link VseException}, which becomes the answer
     */
    PeerServer(Consumer<Call> api, ObjectMapper json, PeerIdentity identity) {
        this(api, json, identity, TAKING);
    }

    /**
     * With another bound.
     *
     * @param taking until a caller has taken what was written to it
     */
    PeerServer(Consumer<Call> api, ObjectMapper json, PeerIdentity identity, Duration taking) {
        this.desk = new CallDesk(api, json);
        this.identity = identity;
        this.taking = taking;
    }

    /**
     * Begins to listen.
     *
     * @return where; of interest when the port was 0
     * @throws VseException DAEMON_START_FAILED when the address cannot be had
     */
    InetSocketAddress listen(InetSocketAddress address) {
        return listener.listen(address, this::take);
    }

    private void take(Channel channel) {
        if (unproven.incrementAndGet() > MOST_UNPROVEN) {
            unproven.decrementAndGet();
            var unused = channel.close();
            return;
        }
        SslHandler tls = identity.server().newHandler(channel.alloc());
        tls.setHandshakeTimeoutMillis(HANDSHAKE_MILLIS);
        tls.handshakeFuture().addListener(done -> unproven.decrementAndGet());
        channel.pipeline().addLast(tls).addLast(new WriteTimeoutHandler(taking.toMillis(), TimeUnit.MILLISECONDS));
        desk.serve(channel.pipeline(), PeerServer::caller);
    }

    private static Peer caller(Channel channel) {
        try {
            SslHandler tls = channel.pipeline().get(SslHandler.class);
            X509Certificate certificate =
                    (X509Certificate) tls.engine().getSession().getPeerCertificates()[0];
            return Peer.ofNode(PeerIdentity.nodeOf(certificate)
                    .orElseThrow(() -> VseException.of(
                            ErrorCode.CERTIFICATE_INVALID, "the certificate of the caller names no node")));
        } catch (SSLPeerUnverifiedException e) {
            throw VseException.of(ErrorCode.CERTIFICATE_INVALID, "the caller has shown no certificate")
                    .because(e);
        }
    }

    @Override
    public void close() {
        listener.close();
        desk.close();
    }
}
