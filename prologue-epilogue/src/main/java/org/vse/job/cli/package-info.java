/** The command line: what people type, what they see, and the exit code that scripts see. */
@NullMarked
package org.vse.job.cli;

import org.jspecify.annotations.NullMarked;
