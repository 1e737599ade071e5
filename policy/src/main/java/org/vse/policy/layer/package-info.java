/** Layers of a description and the rules of queues: read from YAML, merged, judged. */
@NullMarked
package org.vse.policy.layer;

import org.jspecify.annotations.NullMarked;
