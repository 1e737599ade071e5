package org.vse.job.doctor;

/**
 * What a check has found.
 *
 * @param found one line
 * @param mend the command that mends it; empty when there is nothing to mend
 */
public record Finding(State state, String found, String mend) {
    /** How bad it is. */
    public enum State {
        OK,
        /** Jobs run, but slower, less bounded or less certainly than they could; or this user cannot see it. */
        WARNING,
        /** Jobs do not run, or not as promised. */
        FAILED;

        /** As it is shown. */
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    public Finding {
        if (found.isBlank() || (state == State.OK) != mend.isEmpty()) {
            throw new IllegalArgumentException(state + " with '" + found + "' and '" + mend + "'");
        }
        found = oneLine(found);
        mend = oneLine(mend);
    }

    static Finding ok(String found) {
        return new Finding(State.OK, found, "");
    }

    static Finding warning(String found, String mend) {
        return new Finding(State.WARNING, found, mend);
    }

    static Finding failed(String found, String mend) {
        return new Finding(State.FAILED, found, mend);
    }

    /** This user may not see it. */
    static Finding forRoot(String what) {
        return warning(what + ": only root can see it", "as root: vse doctor");
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", "; ").replaceAll("\\p{Cntrl}", "?");
    }
}
