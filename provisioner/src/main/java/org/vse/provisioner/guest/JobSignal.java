package org.vse.provisioner.guest;

/** Signals that may be sent to a job's script; the names are those of kill(1). */
public enum JobSignal {
    INT,
    TERM,
    HUP,
    QUIT,
    USR1,
    USR2,
    CONT,
    STOP,
    KILL
}
