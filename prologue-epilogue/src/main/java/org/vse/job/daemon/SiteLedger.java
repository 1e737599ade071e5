package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.peer.PeerClient;
import org.vse.ledger.EventBatch;
import org.vse.ledger.Ledger;
import org.vse.ledger.PostgresAddress;
import org.vse.ledger.Shipment;

/**
 * Where the ledger of the site is. A node that is not the head sends its event log there, part by part, for as long as it
 * takes: a part counts as sent when the head has said that it is applied, and what the head says is where the next one begins.
 * The head closes what nodes have left open of which nothing was heard for long.
 */
final class SiteLedger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SiteLedger.class);
    private static final int PART = 200;
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final long IDLE_SECONDS = 5;
    private static final long MOST_SECONDS = 60;
    private static final long LOOK_SECONDS = 3600;

    private final String node;
    private final @Nullable String head;
    private final Duration lost;
    private final Clock clock;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread made = new Thread(work, "site-ledger");
        made.setDaemon(true);
        return made;
    });
    /** What the head has said last. */
    private volatile Sent sent = new Sent(new UUID(0, 0), 0);
    /** What the last attempt to send has shown. */
    private volatile Lag lag;

    private long pause = 1;
    private boolean said;

    private SiteLedger(String node, @Nullable String head, Duration lost, Clock clock) {
        this.node = node;
        this.head = head;
        this.lost = lost;
        this.clock = clock;
        this.lag = new Lag(0, null, clock.instant(), !isShipping());
    }

    /** As the configuration says. */
    static SiteLedger of(Path config, String node, Clock clock) {
        Map<ConfigFile.Key, ConfigFile.Value> values = ConfigFile.read(config);
        ConfigFile.Value head = values.get(ConfigFile.Key.HEAD);
        ConfigFile.Value lost = values.getOrDefault(
                ConfigFile.Key.NODE_LOST, new ConfigFile.Value(ConfigFile.Key.NODE_LOST.otherwise(), "the default"));
        return new SiteLedger(node, head == null ? null : ConfigFile.label(head), ConfigFile.duration(lost), clock);
    }

    /** Opens the ledger of this node, on the database that the configuration names. */
    static Ledger open(Path config, Path directory) {
        Map<ConfigFile.Key, ConfigFile.Value> values = ConfigFile.read(config);
        ConfigFile.Value database = values.get(ConfigFile.Key.LEDGER_DATABASE);
        Optional<PostgresAddress> server = database == null ? Optional.empty() : address(database);
        if (server.isEmpty()) {
            return Ledger.open(directory);
        }
        PostgresAddress address = server.get();
        ConfigFile.Value password = values.get(ConfigFile.Key.LEDGER_PASSWORD);
        return Ledger.open(directory, password == null ? address : address.withPassword(secret(password)));
    }

    /** The server of the database; empty for a file of this node's. */
    static Optional<PostgresAddress> address(ConfigFile.Value database) {
        if (database.text().equals(ConfigFile.Key.LEDGER_DATABASE.otherwise())) {
            return Optional.empty();
        }
        try {
            return Optional.of(PostgresAddress.parse(database.text()));
        } catch (IllegalArgumentException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "'" + database.text() + "' is no database of a ledger")
                    .at(database.position())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /** The first line of a file that nobody but its owner may read. */
    private static String secret(ConfigFile.Value value) {
        Path file = ConfigFile.path(value);
        try {
            Set<?> open = Files.getPosixFilePermissions(file);
            if (open.stream().anyMatch(mode -> !mode.toString().startsWith("OWNER"))) {
                throw VseException.of(ErrorCode.CONFIG_INVALID, "others may read the password of the ledger")
                        .at(file.toString())
                        .next("chmod 600 " + file);
            }
            return Files.readString(file).lines().findFirst().orElse("");
        } catch (IOException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the password of the ledger cannot be read")
                    .at(file.toString())
                    .because(e);
        }
    }

    /** True when this node sends its events to another. */
    boolean isShipping() {
        return head != null && !isHead();
    }

    /** True when other nodes send their events here. */
    boolean isHead() {
        return node.equals(head);
    }

    /** True for the node that this one sends its events to, be it itself. */
    boolean isHead(String other) {
        return other.equals(head);
    }

    /** Nodes of which the head has heard, but for those that are lost; none on another node, or while the database is away. */
    List<String> nodes(Ledger ledger) {
        if (!isHead()) {
            return List.of();
        }
        try {
            return ledger.heardSince(clock.instant().minus(lost));
        } catch (VseException e) {
            LOG.warn("which nodes have sent their events is not known now", e);
            return List.of();
        }
    }

    /**
     * Begins to send, or to look after what was sent.
     *
     * @param client null when this node speaks to no others
     */
    void begin(Ledger ledger, @Nullable PeerClient client, ObjectMapper json) {
        if (isHead()) {
            long look = Math.min(LOOK_SECONDS, lost.toSeconds());
            var unused = thread.scheduleWithFixedDelay(() -> conclude(ledger), look, look, TimeUnit.SECONDS);
        } else if (head != null && client == null) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "'head' needs 'peer-listen': events go there over it")
                    .next("see docs/configuration.md");
        } else if (head != null && client != null) {
            String to = head;
            thread.execute(() -> send(ledger, client, to, json));
        }
    }

    /**
     * How far the head is behind this node, as of the last attempt to send, which is at most a minute ago.
     *
     * @param bytes of the log that the head has not applied
     * @param oldest when the first event of these was noticed; null for none
     * @param heard when the head has answered last; the daemon's start while it has not
     * @param known false until the head has said what it has; nothing else is known then
     */
    record Lag(long bytes, @Nullable Instant oldest, Instant heard, boolean known) {}

    /** How far the head is behind; nothing ever on the head itself and on a node without one. */
    Lag lag() {
        return lag;
    }

    /** How much of which log is applied at the head. */
    private record Sent(UUID log, long applied) {}

    /**
     * Removes what is old from the ledger of this node.
     *
     * @return how many runs
     * @throws VseException JOB_STATE when something of it has not arrived at the head
     */
    int prune(Ledger ledger, Instant before) {
        Sent known = sent;
        return head == null || isHead() ? ledger.prune(before) : ledger.prune(before, known.log(), known.applied());
    }

    private void conclude(Ledger ledger) {
        try {
            int closed = ledger.concludeLost(clock.instant().minus(lost), clock.instant());
            if (closed > 0) {
                LOG.warn("closed {} VM(s) in the ledger of nodes that were not heard of for {}", closed, lost);
            }
        } catch (VseException e) {
            LOG.warn("what lost nodes left open in the ledger stays so for now", e);
        }
    }

    private void send(Ledger ledger, PeerClient client, String to, ObjectMapper json) {
        try {
            Shipment part = ledger.shipment(node, sent.applied(), PART);
            lag = lag(part, ledger.end(), lag.heard(), lag.known());
            JsonNode answer = client.call(to, HttpMethod.POST, "/v1/ledger", write(part, json), ANSWER)
                    .get();
            sent = new Sent(part.log(), answer.path("applied").asLong());
            boolean isAll = sent.applied() == part.end() && part.events().isEmpty();
            long end = ledger.end();
            lag = sent.applied() == end
                    ? new Lag(0, null, clock.instant(), true)
                    : lag(part, end, clock.instant(), true);
            pause = isAll ? IDLE_SECONDS : 0;
            said = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        } catch (ExecutionException | VseException e) {
            pause = Math.min(MOST_SECONDS, Math.max(1, pause * 2));
            if (!said) {
                LOG.warn("the head '{}' does not take the events of this node; they are kept and sent later", to, e);
                said = true;
            }
        }
        if (!thread.isShutdown()) {
            var unused = thread.schedule(() -> send(ledger, client, to, json), pause, TimeUnit.SECONDS);
        }
    }

    private static Lag lag(Shipment part, long end, Instant heard, boolean known) {
        return part.events().isEmpty()
                ? new Lag(0, null, heard, known)
                : new Lag(end - part.from(), part.events().get(0).at(), heard, known);
    }

    private static ObjectNode write(Shipment part, ObjectMapper json) {
        ObjectNode body = json.createObjectNode()
                .put("log", part.log().toString())
                .put("from", part.from())
                .put("end", part.end());
        body.set("events", EventBatch.write(part.events()));
        return body;
    }

    /**
     * A part of another node's log, as it was sent.
     *
     * @param from the node of the caller's certificate
     * @throws VseException USAGE when it is none
     */
    static Shipment read(JsonNode body, String from) {
        try {
            return new Shipment(
                    from,
                    UUID.fromString(body.path("log").asText()),
                    body.path("from").longValue(),
                    body.path("end").longValue(),
                    EventBatch.read(body.path("events")));
        } catch (IllegalArgumentException e) {
            throw VseException.of(ErrorCode.USAGE, "that is no part of a ledger's log")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /** The ledger that takes the events of other nodes; empty on a node that is not the head. */
    Optional<Ledger> taking(Ledger ledger) {
        return isHead() ? Optional.of(ledger) : Optional.empty();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
