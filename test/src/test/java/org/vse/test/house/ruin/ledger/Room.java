package org.vse.test.house.ruin.ledger;

/** Uses what its room must not use. */
public final class Room {
    Object forbidden() {
        return new org.vse.test.house.ruin.process.Room();
    }
}
