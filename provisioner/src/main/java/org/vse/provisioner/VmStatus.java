package org.vse.provisioner;

/**
 * A machine that exists.
 *
 * @param process the host process of the machine: pid and start time as one text {@code PID:TICKS}, empty for drivers
 *     without a process
 */
public record VmStatus(VmName name, VmLabel label, State state, String process) {
    /** What a machine does. */
    public enum State {
        RUNNING,
        PAUSED
    }
}
