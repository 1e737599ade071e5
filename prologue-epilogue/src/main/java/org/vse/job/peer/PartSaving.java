package org.vse.job.peer;

import org.vse.job.step.SaveWord;

/**
 * What the first node of a job says to another while the job's machines are saved.
 *
 * @param word what is to be done now
 * @param set the job's name in the store of checkpoints
 * @param number of the set
 */
public record PartSaving(SaveWord word, String set, int number) {
    public PartSaving {
        if (word == null || set == null || number < 1) {
            throw new IllegalArgumentException("a word needs the number of a set");
        }
    }
}
