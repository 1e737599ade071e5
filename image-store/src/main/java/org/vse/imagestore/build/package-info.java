/** From a recipe to an image: packages, root tree, kernels, initial file systems, disk. */
@NullMarked
package org.vse.imagestore.build;

import org.jspecify.annotations.NullMarked;
