package org.vse.job.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.FailureText;
import org.vse.job.lifecycle.Job;
import org.vse.job.peer.PartNews;
import org.vse.job.peer.PartOrder;
import org.vse.job.peer.PartSaving;
import org.vse.job.peer.RemoteParts;
import org.vse.job.step.MachinesHere;
import org.vse.ledger.Ledger;

/** What the daemons of other nodes may ask of this one; see docs/api.md, "Between nodes". */
final class PeerApi {
    private final Parts parts;
    private final ObjectMapper json;
    private final ObjectNode health;
    private final PeerImages images;

    private final Optional<Ledger> head;
    private final Clock clock;

    /** @param head the ledger that takes other nodes' events; empty on a node that is not the head */
    PeerApi(Parts parts, PeerImages images, ObjectMapper json, ObjectNode health, Optional<Ledger> head, Clock clock) {
        this.head = head;
        this.clock = clock;
        this.parts = parts;
        this.images = images;
        this.json = json;
        this.health = health;
    }

    /** Answers one call of a node. */
    void answer(Call call) {
        try {
            route(call, String.valueOf(call.peer().node()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the daemon is ending")
                    .because(e);
        }
    }

    private void route(Call call, String from) throws IOException, InterruptedException {
        List<String> path = call.path();
        String head =
                call.method() + " " + (path.size() > 1 ? path.get(1) : "") + " " + (path.size() > 3 ? path.get(3) : "");
        if (!path.get(0).equals("v1")) {
            throw call.unknown();
        }
        switch (head) {
            case "GET health " -> call.reply().json(200, health);
            case "GET images " -> images.answer(call);
            case "POST ledger " ->
                call.reply()
                        .json(
                                200,
                                Map.of(
                                        "applied",
                                        taking().accept(SiteLedger.read(call.body(), from), clock.instant())));
            case "POST parts " -> {
                parts.begin(order(call.body()), from);
                call.reply().json(202, Map.of());
            }
            case "POST parts lease" ->
                call.reply()
                        .json(200, news(parts.renew(path.get(2), from), call.integer("from", 0, Integer.MAX_VALUE)));
            case "POST parts join" -> {
                parts.join(path.get(2), from);
                call.reply().json(200, Map.of());
            }
            case "POST parts saving" -> {
                Optional<MachinesHere.Sealed> files = parts.saving(path.get(2), saving(call.body()), from);
                call.reply().json(200, files.isPresent() ? files.get() : Map.of());
            }
            case "DELETE parts " -> {
                parts.end(path.size() > 2 ? path.get(2) : "", from);
                call.reply().json(200, Map.of());
            }
            default -> throw call.unknown();
        }
    }

    private Ledger taking() {
        return head.orElseThrow(() -> VseException.of(
                        ErrorCode.NOT_SUPPORTED, "this node is not the head: it takes no events of others")
                .next("set 'head' in the vsed.yaml of both nodes to the same name"));
    }

    private PartOrder order(JsonNode body) {
        int protocol = body.path("protocol").asInt();
        if (protocol != PartOrder.PROTOCOL) {
            throw VseException.of(ErrorCode.NOT_SUPPORTED, "the nodes' versions of VSE do not fit together")
                    .fact("protocol of the first node", protocol)
                    .fact("protocol of this node", PartOrder.PROTOCOL)
                    .next("install the same version of VSE on all nodes");
        }
        try {
            PartOrder order = json.treeToValue(body, PartOrder.class);
            order.key().toKey();
            return order;
        } catch (JsonProcessingException | IllegalArgumentException | NullPointerException e) {
            throw VseException.of(ErrorCode.USAGE, "the order is not to be understood")
                    .fact("reason", e)
                    .because(e);
        }
    }

    private PartSaving saving(JsonNode body) {
        try {
            return json.treeToValue(body, PartSaving.class);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw VseException.of(ErrorCode.USAGE, "the word is not to be understood")
                    .fact("reason", e)
                    .because(e);
        }
    }

    private PartNews news(Job part, int from) throws IOException, InterruptedException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : part.feed().from(from, RemoteParts.LISTEN.toMillis())) {
            events.add(json.readTree(line));
        }
        return new PartNews(
                part.state(), part.failure().map(FailureText::of).orElse(null), events, from + events.size());
    }
}
