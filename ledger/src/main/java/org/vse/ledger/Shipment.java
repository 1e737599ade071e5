package org.vse.ledger;

import java.util.List;
import java.util.UUID;

/**
 * A part of a node's event log on its way to the head.
 *
 * @param node whose log it is
 * @param log id of the log
 * @param from where the part begins in the log
 * @param end where it ends; the next part begins there
 */
public record Shipment(String node, UUID log, long from, long end, List<LedgerEvent> events) {
    public Shipment {
        events = List.copyOf(events);
        if (from < 0 || end < from) {
            throw new IllegalArgumentException("from " + from + " to " + end);
        }
    }
}
