/** Machines by libvirt and QEMU: the domain XML, a libvirtd of our own, and the driver that speaks to it. */
@NullMarked
package org.vse.provisioner.libvirt;

import org.jspecify.annotations.NullMarked;
