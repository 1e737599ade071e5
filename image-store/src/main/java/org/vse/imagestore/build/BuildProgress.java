package org.vse.imagestore.build;

import java.time.Duration;

/** Told what a build does, at the start of every step. Called on the building thread; must not block. */
@FunctionalInterface
public interface BuildProgress {
    /**
     * A step begins.
     *
     * @param what for a person: {@code installing 7 packages of bookworm}
     * @param expected how long it usually takes, wall time
     */
    void step(String what, Duration expected);
}
