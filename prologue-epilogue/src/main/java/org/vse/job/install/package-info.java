/** What a batch system's configuration gets so that it calls the hooks: as a plan first, which can be shown and undone. */
@NullMarked
package org.vse.job.install;

import org.jspecify.annotations.NullMarked;
