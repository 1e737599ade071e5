package org.vse.failure;

/** Whose error it is. The scheduler dialects map the kind, never the code, to what their batch system must be told. */
public enum Kind {
    /** The job or the command line is wrong; running it again cannot help. Never harms a node. */
    USER,
    /** This node or its configuration is wrong; another node may do. */
    SITE,
    /** Nothing is wrong but there is not enough of something; later may do. */
    CAPACITY,
    /** A defect of this software. */
    INTERNAL
}
