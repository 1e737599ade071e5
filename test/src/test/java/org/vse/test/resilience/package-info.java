/** What dies, and what must not be lost or left: on real parts. */
@NullMarked
package org.vse.test.resilience;

import org.jspecify.annotations.NullMarked;
