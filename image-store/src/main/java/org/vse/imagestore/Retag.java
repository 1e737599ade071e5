package org.vse.imagestore;

/** What happens when a tag that is to be set points to another image already. */
public enum Retag {
    /** It is refused with IMAGE_EXISTS. */
    REFUSE,
    /** The tag moves. The image that it pointed to stays. */
    MOVE
}
