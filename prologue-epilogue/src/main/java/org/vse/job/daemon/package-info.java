/** {@code vsed}: the process that owns the machines of this node, and its API. */
@NullMarked
package org.vse.job.daemon;

import org.jspecify.annotations.NullMarked;
