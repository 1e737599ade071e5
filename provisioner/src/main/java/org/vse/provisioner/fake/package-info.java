/** Machines that exist in files only, and do what a script says: for tests of everything above the driver. */
@NullMarked
package org.vse.provisioner.fake;

import org.jspecify.annotations.NullMarked;
