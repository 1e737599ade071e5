/** Other nodes: who they are, how their daemons are reached, and the part of a job that runs there. */
@NullMarked
package org.vse.job.peer;

import org.jspecify.annotations.NullMarked;
