/**
 * Control groups of the kernel, version 1 and 2 (cgroups(7)): which there are, groups of ours below them, what a group may
 * have and has used, and the end of everything in one.
 */
@NullMarked
package org.vse.process.cgroup;

import org.jspecify.annotations.NullMarked;
