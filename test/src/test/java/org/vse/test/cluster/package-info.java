/** Real batch systems with several nodes on this host. */
@NullMarked
package org.vse.test.cluster;

import org.jspecify.annotations.NullMarked;
