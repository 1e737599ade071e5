package org.vse.test.house.ruin.process;

import java.io.IOException;

/** May start programs. */
final class Starts {
    Process starts() throws IOException {
        return new ProcessBuilder("true").start();
    }
}
