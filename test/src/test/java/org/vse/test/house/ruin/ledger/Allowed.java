package org.vse.test.house.ruin.ledger;

/** Uses what its room may use. */
final class Allowed {
    Object allowed() {
        return new org.vse.test.house.ruin.failure.Room();
    }
}
