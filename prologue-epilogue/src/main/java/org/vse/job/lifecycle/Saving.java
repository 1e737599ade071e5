package org.vse.job.lifecycle;

/**
 * That the machines of a job are being saved: from before the first stands still until all run, or all have ended.
 *
 * @param set the job's name in the store of checkpoints
 * @param number of the set that is being made
 * @param stop whether the job ends with it
 */
public record Saving(String set, int number, boolean stop) {}
