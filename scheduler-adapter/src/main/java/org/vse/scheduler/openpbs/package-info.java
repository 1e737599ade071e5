/** OpenPBS: what its hooks pass on about a job. */
@NullMarked
package org.vse.scheduler.openpbs;

import org.jspecify.annotations.NullMarked;
