/** The user's directories inside the guest: one server for one job, with the user's rights and no more. */
@NullMarked
package org.vse.provisioner.share;

import org.jspecify.annotations.NullMarked;
