/** Control of what runs inside a machine. Everything that comes out of a guest is hostile until it has been checked. */
@NullMarked
package org.vse.provisioner.guest;

import org.jspecify.annotations.NullMarked;
