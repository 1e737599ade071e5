package org.vse.process.cgroup;

import java.util.OptionalLong;

/**
 * What a group has used since it was made, by those of its controllers that are there.
 *
 * @param cpuNanos CPU time of its processes while they were in it, ended ones too
 * @param peakBytes most memory it ever had, caches of files that were read for it included
 * @param oomKills processes that the kernel killed because the group exceeded its memory
 */
public record GroupUsage(OptionalLong cpuNanos, OptionalLong peakBytes, long oomKills) {}
