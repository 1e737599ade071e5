package org.vse.job.doctor;

/** One thing that a node needs. */
interface Check {
    /** A few words with dashes, as in docs/doctor.md. */
    String name();

    /** Looks and changes nothing. */
    Finding look(Host host);
}
