package org.vse.scheduler.local;

/**
 * What a job asks of this node.
 *
 * @param cores at least 1
 * @param memoryBytes memory of its machines with what serves them
 * @param shared the job agrees to share its cores with other jobs that do
 */
public record Asked(int cores, long memoryBytes, boolean shared) {
    public Asked {
        if (cores < 1 || memoryBytes < 0) {
            throw new IllegalArgumentException("not a request: " + cores + " cores, " + memoryBytes + " bytes");
        }
    }

    /** Cores of its own, and no memory to speak of. */
    public static Asked cores(int cores) {
        return new Asked(cores, 0, false);
    }
}
