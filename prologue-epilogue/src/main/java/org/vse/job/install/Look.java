package org.vse.job.install;

import java.nio.file.Path;
import java.util.Optional;
import org.vse.job.doctor.Finding;
import org.vse.job.doctor.Finding.State;

/** What the diagnoses of batch systems have in common. */
final class Look {
    private Look() {}

    static Finding ok(String found) {
        return new Finding(State.OK, found, "");
    }

    static Finding warning(String found, String mend) {
        return new Finding(State.WARNING, found, mend);
    }

    static Finding failed(String found, String mend) {
        return new Finding(State.FAILED, found, mend);
    }

    /** Whether a gate can use the compiled policy. */
    static Finding policy(InstallPlan.Host host, Path path) {
        String compile = "vse policy compile --output " + path;
        Optional<String> policy = host.text(path);
        if (policy.isEmpty()) {
            return failed("there is no " + path + ": jobs with #VSE lines are refused", compile);
        }
        boolean whole = policy.get().startsWith("vse-gate\t1\n") && policy.get().endsWith("\nend\n");
        return whole ? ok(path.toString()) : failed(path + " is not whole or of another version", compile);
    }
}
