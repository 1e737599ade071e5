/** How a job lives: from the prologue to the epilogue, on one page. */
@NullMarked
package org.vse.job;

import org.jspecify.annotations.NullMarked;
