/** The network of one job on one node: who can reach whom is decided by which namespace a device is in. */
@NullMarked
package org.vse.provisioner.network;

import org.jspecify.annotations.NullMarked;
