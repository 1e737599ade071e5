package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.imagestore.ImageSource;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerSource;
import org.vse.job.peer.RemoteParts;
import org.vse.job.step.Node;
import org.vse.job.step.PartLeases;
import org.vse.job.step.Sisters;

/** How this daemon speaks to those of other nodes, or that it speaks to none. */
final class Neighbours implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Neighbours.class);
    private static final Duration ALONE = Duration.ofSeconds(30);

    private final VsedConfig settings;
    private final ObjectMapper json;
    private final PartLeases leases;
    private final @Nullable PeerIdentity identity;
    private final @Nullable PeerClient client;
    private final @Nullable RemoteParts parts;
    private @Nullable PeerServer server;
    private @Nullable Isolation isolation;

    private Neighbours(
            VsedConfig settings,
            ObjectMapper json,
            PartLeases leases,
            @Nullable PeerIdentity identity,
            @Nullable PeerClient client,
            @Nullable RemoteParts parts) {
        this.settings = settings;
        this.json = json;
        this.leases = leases;
        this.identity = identity;
        this.client = client;
        this.parts = parts;
    }

    /**
     * As the configuration says.
     *
     * @throws org.vse.failure.VseException CERTIFICATE_INVALID when this node cannot prove who it is
     */
    static Neighbours of(VsedConfig settings, ObjectMapper json, GrowthWatch growth) {
        Clock clock = Clock.systemUTC();
        Duration lease = settings.peers().map(VsedConfig.Peers::lease).orElse(ALONE);
        PartLeases leases = new PartLeases(lease, growth);
        if (settings.peers().isEmpty()) {
            return new Neighbours(settings, json, leases, null, null, null);
        }
        VsedConfig.Peers peers = settings.peers().get();
        PeerIdentity identity = PeerIdentity.read(peers.certificates(), settings.node(), clock.instant());
        Duration left = Duration.between(clock.instant(), identity.until());
        if (left.compareTo(PeerIdentity.WARNING) < 0) {
            LOG.warn(
                    "the certificate of this node ends in {} day(s), at {}: vse certs issue {}",
                    left.toDays(),
                    identity.until(),
                    settings.node());
        }
        PeerClient client = new PeerClient(identity, peers.nodes(), json);
        return new Neighbours(
                settings,
                json,
                leases,
                identity,
                client,
                new RemoteParts(settings.node(), client, lease, json, growth, clock));
    }

    Sisters sisters() {
        return parts == null ? Sisters.NONE : parts;
    }

    /** The images of another node; empty when this daemon speaks to none. */
    Optional<ImageSource> images(String node, Duration patience) {
        return client == null ? Optional.empty() : Optional.of(new PeerSource(node, client, json, patience));
    }

    /** What calls other nodes; null when this one speaks to none. */
    @Nullable
    PeerClient client() {
        return client;
    }

    /** Names of the nodes that the configuration lists, and those. */
    List<String> names(List<String> more) {
        return Stream.concat(settings.peers().stream().flatMap(peers -> peers.nodes().names().stream()), more.stream())
                .distinct()
                .toList();
    }

    PartLeases leases() {
        return leases;
    }

    /** Begins to look whether this node is cut off, when there are others. */
    void watch(Node node, JobTable table) {
        if (client != null) {
            isolation = new Isolation(
                    node,
                    table,
                    client,
                    leases.length(),
                    settings.peers().map(VsedConfig.Peers::headQuestion).orElse(List.of()));
            isolation.watch();
        }
    }

    /** Begins to listen for other nodes, when there are any. */
    void serve(Consumer<Call> api) {
        if (identity != null) {
            PeerServer listening = new PeerServer(api, json, identity);
            server = listening;
            settings.peers()
                    .ifPresent(
                            peers -> LOG.info("vsed listens for other nodes at {}", listening.listen(peers.listen())));
        }
    }

    @Override
    public void close() {
        if (isolation != null) {
            isolation.close();
        }
        if (server != null) {
            server.close();
        }
        if (parts != null) {
            parts.close();
        }
        if (client != null) {
            client.close();
        }
    }
}
