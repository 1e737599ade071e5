package org.vse.test.house.ruin.imagestore;

/** Uses what its room may use. */
final class Allowed {
    Object allowed() {
        return new org.vse.test.house.ruin.process.Room();
    }
}
