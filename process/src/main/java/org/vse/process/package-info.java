/** Other programs: the one place that starts, bounds, identifies and ends processes that are not ours. */
@NullMarked
package org.vse.process;

import org.jspecify.annotations.NullMarked;
