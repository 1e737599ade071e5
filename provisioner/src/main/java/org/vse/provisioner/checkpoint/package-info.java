/** The saved state of all machines of a job, as one thing that is whole or not there. */
@NullMarked
package org.vse.provisioner.checkpoint;

import org.jspecify.annotations.NullMarked;
