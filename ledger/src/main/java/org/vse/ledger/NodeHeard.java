package org.vse.ledger;

import java.time.Instant;

/**
 * When a node was heard of.
 *
 * @param at the last time
 */
record NodeHeard(String node, Instant at) {}
