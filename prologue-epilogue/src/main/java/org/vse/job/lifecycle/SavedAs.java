package org.vse.job.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * What the machines of a job were saved as.
 *
 * @param set the job's name in the store of checkpoints
 * @param number of the set, from 1
 * @param at when all machines stood still
 * @param still how long they stood still
 * @param bytes of all files of the set
 * @param stdoutBytes length of the script's standard output by then
 * @param stderrBytes length of its standard error by then
 */
public record SavedAs(
        String set, int number, Instant at, Duration still, long bytes, long stdoutBytes, long stderrBytes) {}
