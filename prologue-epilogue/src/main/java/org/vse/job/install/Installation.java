package org.vse.job.install;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.doctor.Doctor;
import org.vse.scheduler.BatchSystem;

/** How one batch system is made to call VSE, and how a host gets back what was its own. */
public interface Installation {
    /**
     * What brings the hooks in; nothing when they are in.
     *
     * @param roles what the host is
     * @param launcher the words that begin a command line of {@code vse}
     */
    InstallPlan install(List<Role> roles, List<String> launcher);

    /** What takes the hooks out and gives the site back what was its own. */
    InstallPlan uninstall();

    /**
     * What keeps the batch system from calling the hooks as they have to be called: one line for each thing that was looked
     * at. Changes nothing.
     *
     * @param roles what the host is
     */
    List<Doctor.Line> examine(List<Role> roles);

    /**
     * The installation of a batch system on a host.
     *
     * @param scheduler the batch system's name as users write it
     * @throws VseException USAGE when it is none that VSE installs itself in
     */
    static Installation of(String scheduler, InstallPlan.Host host) {
        return BatchSystem.of(scheduler)
                .map(Kinds.OF::get)
                .orElseThrow(() -> VseException.of(
                                ErrorCode.USAGE,
                                "'" + scheduler + "' is not a batch system that VSE installs itself in")
                        .fact("allowed", String.join(", ", Kinds.words())))
                .apply(host);
    }

    /** The installations that there are. */
    final class Kinds {
        private static final Map<BatchSystem, Function<InstallPlan.Host, Installation>> OF = Map.of(
                BatchSystem.SLURM, SlurmInstallation::new,
                BatchSystem.GRIDENGINE, GridEngineInstallation::new);

        private Kinds() {}

        /** The names that {@link #of} knows, in the order of {@link BatchSystem}. */
        public static List<String> words() {
            return Arrays.stream(BatchSystem.values())
                    .filter(OF::containsKey)
                    .map(system -> system.dialect().word())
                    .toList();
        }
    }
}
