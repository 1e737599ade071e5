package org.vse.job.step;

/** What the first node of a job says to all of its nodes, itself among them, while the machines are saved or go on. */
public enum SaveWord {
    /** Guests write what they hold back to their disks and to their shares. */
    SYNC,
    /** All machines stop at once. */
    PAUSE,
    /** Their memory and their disks are written; they have ended when this is done. */
    SAVE,
    /** What was saved is started again, and all run, wherever they were. May be said again. */
    GO_ON,
    /** What was saved is named with its digests; the files are on the disk when this is done. */
    SEAL,
    /** Guests that have stood still are told the time, and given chances that nobody has seen. Nothing of the saving is left. */
    WAKE,
    /** Machines that were restored run, and are woken. */
    BEGIN
}
