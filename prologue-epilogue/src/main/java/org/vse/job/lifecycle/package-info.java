/** The life of one job on this node: its states, its steps, its journal. */
@NullMarked
package org.vse.job.lifecycle;

import org.jspecify.annotations.NullMarked;
