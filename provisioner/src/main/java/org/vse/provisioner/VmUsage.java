package org.vse.provisioner;

/**
 * What a machine has used.
 *
 * @param cpuNanos CPU time of the machine on the host, nanoseconds
 * @param memoryBytes resident memory on the host now, bytes
 */
public record VmUsage(long cpuNanos, long memoryBytes) {}
