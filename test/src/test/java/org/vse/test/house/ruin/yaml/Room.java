package org.vse.test.house.ruin.yaml;

/** Uses what its room must not use. */
public final class Room {
    Object forbidden() {
        return new org.vse.test.house.ruin.policy.Room();
    }
}
