package org.vse.test.house.ruin.job;

/** Uses what its room may use. */
final class Allowed {
    Object allowed() {
        return new org.vse.test.house.ruin.scheduler.Room();
    }
}
