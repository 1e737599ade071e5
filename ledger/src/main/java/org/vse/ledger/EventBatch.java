package org.vse.ledger;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Events between daemons and commands: a JSON array of them. */
public final class EventBatch {
    private EventBatch() {}

    public static ArrayNode write(List<LedgerEvent> events) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        events.forEach(event -> array.add(EventJson.tree(event)));
        return array;
    }

    /** @throws VseException USAGE when something in it is not an event that this version knows */
    public static List<LedgerEvent> read(JsonNode array) {
        try {
            List<LedgerEvent> events = new ArrayList<>();
            for (JsonNode node : array) {
                events.add(EventJson.read(node));
            }
            return events;
        } catch (IOException | IllegalArgumentException e) {
            throw VseException.of(ErrorCode.USAGE, "there is an event that this version does not know")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }
}
