/** Disk images from elsewhere: looked at before any tool opens them, then made into images of a store. */
@NullMarked
package org.vse.imagestore.foreign;

import org.jspecify.annotations.NullMarked;
