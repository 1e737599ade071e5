/** What a job boots: digests, catalogue, recipes, builds. */
@NullMarked
package org.vse.imagestore;

import org.jspecify.annotations.NullMarked;
