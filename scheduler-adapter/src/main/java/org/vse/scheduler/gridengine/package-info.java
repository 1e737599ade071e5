/** Grid Engine: its hooks, what sge_execd writes down for a job, what {@code qstat} prints. */
@NullMarked
package org.vse.scheduler.gridengine;

import org.jspecify.annotations.NullMarked;
