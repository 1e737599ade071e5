package org.vse.policy.layer;

import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.Problems;

/** What is wrong with one file, all of one code. */
final class Mistakes {
    private final ErrorCode code;
    private final Problems problems = new Problems();

    Mistakes(ErrorCode code) {
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }

    /** Keeps a mistake; the caller may add facts to it. */
    VseException add(SourcePosition at, String what) {
        VseException mistake = VseException.of(code, what);
        problems.add(at, mistake);
        return mistake;
    }

    /** Keeps what another reader refused, under this file's code. */
    void add(SourcePosition at, VseException refused) {
        VseException mistake = add(at, refused.what());
        refused.facts().forEach(mistake::fact);
        if (refused.next() != null) {
            mistake.next(refused.next());
        }
    }

    /** @throws VseException the first mistake by position, with all others as its fact {@code more} */
    void throwFirst() {
        problems.throwFirst();
    }
}
