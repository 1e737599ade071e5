/** The virtual machines of a node: drivers, networks, shares, control of the guest. */
@NullMarked
package org.vse.provisioner;

import org.jspecify.annotations.NullMarked;
