/** Slurm: its hooks, its host lists, what {@code scontrol} prints. */
@NullMarked
package org.vse.scheduler.slurm;

import org.jspecify.annotations.NullMarked;
