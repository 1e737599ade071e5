/** A machine outside of any job, in which root changes an image's disk. */
@NullMarked
package org.vse.provisioner.edit;

import org.jspecify.annotations.NullMarked;
