/** The batch system of a machine that has none: first in, first out, over the cores of this node. */
@NullMarked
package org.vse.scheduler.local;

import org.jspecify.annotations.NullMarked;
