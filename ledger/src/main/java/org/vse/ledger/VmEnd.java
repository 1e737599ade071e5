package org.vse.ledger;

/** Why a machine ended. Names are stored: they never change. */
public enum VmEnd {
    /** The job's script ended and the machine was taken down in order. */
    FINISHED,
    /** The job was cancelled. */
    CANCELLED,
    /** A step of the job failed and the machine was taken down with it. */
    FAILED,
    /** The machine ended by itself: powered off, crashed, killed. */
    DIED,
    /** Nobody saw it end: the node or the daemon went down, and the machine was gone afterwards. */
    LOST,
    /** Its state was saved, so that the job goes on from there in another attempt. */
    CHECKPOINTED,
    /** It outlived its job and was ended as a leftover. */
    REAPED
}
