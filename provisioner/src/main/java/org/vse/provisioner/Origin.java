package org.vse.provisioner;

import java.nio.file.Path;

/** What a machine starts from. */
public sealed interface Origin {
    /** A boot. */
    record Cold() implements Origin {}

    /** The memory of another machine that was made to be copied. */
    record Snapshot(Path memory) implements Origin {}

    /**
     * The memory of a machine, written by {@link VmDriver#save}. The machine may have another name, other cores, paths and
     * taps now; its devices, their order and its MAC addresses are what they were. The driver writes into the head of the file.
     *
     * @param state where the machine's state begins in the file, bytes, as {@link VmDriver#save} said
     */
    record Checkpoint(Path memory, long state) implements Origin {}
}
