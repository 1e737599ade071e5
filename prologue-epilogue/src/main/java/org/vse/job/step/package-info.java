/** The steps of a job's life, one class each, in the order of {@link org.vse.job.step.Steps}. */
@NullMarked
package org.vse.job.step;

import org.jspecify.annotations.NullMarked;
