/** The daemon's log: how its lines look, and the lines of what happens to jobs. */
@NullMarked
package org.vse.job.log;

import org.jspecify.annotations.NullMarked;
