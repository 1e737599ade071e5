package org.vse.provisioner;

import java.nio.file.Path;

/** What a machine starts from. */
public sealed interface Origin {
    /** A boot. */
    record Cold() implements Origin {}

    /** The memory of another machine that was made to be copied. */
    record Snapshot(Path memory) implements Origin {}

    /** The memory of this same machine, saved earlier. */
    record Checkpoint(Path memory) implements Origin {}
}
