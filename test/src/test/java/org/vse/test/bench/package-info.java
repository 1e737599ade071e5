/** Measures the promises, each beside the same work done by hand. */
@NullMarked
package org.vse.test.bench;

import org.jspecify.annotations.NullMarked;
