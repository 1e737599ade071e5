package org.vse.provisioner.fake;

import org.vse.failure.VseException;

/** What goes wrong in a call to a {@link FakeDriver}. */
public sealed interface Fault {
    /** The call changes nothing and throws. */
    record Fail(VseException failure) implements Fault {}

    /**
     * The call does not return until {@link FakeDriver#release} or until its thread is interrupted (STEP_INTERRUPTED); then it
     * goes on as if nothing had been. A call with a timeout of its own keeps that.
     */
    record Hang() implements Fault {}

    /**
     * This process dies in the call: {@link Crash} is thrown, now and by every later call to the same driver. A new driver on
     * the same directory finds what was there.
     *
     * @param when whether the call had its effect
     */
    record Die(When when) implements Fault {}

    /** Side of the effect on which a process dies. */
    enum When {
        BEFORE,
        AFTER
    }

    /** Stands for the death of the process; an {@link Error}, so that no handler of failures takes it for one. */
    final class Crash extends Error {
        private static final long serialVersionUID = 1L;

        Crash(String where) {
            super("the fake process died in " + where);
        }
    }
}
