package org.vse.test.house.ruin.provisioner.guest;

/** May sleep. */
final class Backoff {
    void pause() throws InterruptedException {
        Thread.sleep(1);
    }
}
