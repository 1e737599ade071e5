package org.vse.test.house.ruin.ledger;

import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Breaks what only some may do. */
final class Breaks {
    Process builds() throws IOException {
        return new ProcessBuilder("true").start();
    }

    Process execs() throws IOException {
        return Runtime.getRuntime().exec(new String[] {"true"});
    }

    void counts(Counter counter) {
        counter.increment();
    }

    void exits() {
        System.exit(1);
    }

    void halts() {
        Runtime.getRuntime().halt(1);
    }

    void sleeps() throws InterruptedException {
        Thread.sleep(1);
    }

    void rests() throws InterruptedException {
        TimeUnit.SECONDS.sleep(1);
    }

    static final class StringUtils {
        private StringUtils() {}
    }
}
