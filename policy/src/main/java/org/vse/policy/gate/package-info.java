/** Judges scripts by a compiled policy, as gates inside scheduler daemons do: the reference for docs/gate-format.md. */
@NullMarked
package org.vse.policy.gate;

import org.jspecify.annotations.NullMarked;
