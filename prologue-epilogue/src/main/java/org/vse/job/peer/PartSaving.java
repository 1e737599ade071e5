package org.vse.job.peer;

/**
 * What the first node of a job says to another while the job's machines are saved.
 *
 * @param word what is to be done now
 * @param set the job's name in the store of checkpoints
 * @param number of the set
 */
public record PartSaving(Word word, String set, int number) {
    /** See {@link org.vse.job.step.MachinesHere}. */
    public enum Word {
        SYNC,
        PAUSE,
        SAVE,
        GO_ON,
        SEAL,
        WAKE,
        BEGIN
    }
}
