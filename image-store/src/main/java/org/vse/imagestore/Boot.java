package org.vse.imagestore;

import java.util.Set;

/** How a machine gets from nothing to an image's system. */
public sealed interface Boot permits Kernel, DiskBoot {
    /** Unique within its image. */
    String name();

    /** Shares that a guest booted this way can mount. */
    Set<Provides> provides();
}
