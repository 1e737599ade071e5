package org.vse.test.house.ruin.job.cli;

/** May end the JVM. */
final class Ends {
    void ends() {
        System.exit(0);
    }
}
