/** KVM or emulation: found out by a guest that boots, never by the existence of a device. */
@NullMarked
package org.vse.provisioner.accelerator;

import org.jspecify.annotations.NullMarked;
