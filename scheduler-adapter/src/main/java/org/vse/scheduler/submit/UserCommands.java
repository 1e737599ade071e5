package org.vse.scheduler.submit;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The commands that a batch system gives its users. Pure; the implementations are those of {@link Kind}. */
public interface UserCommands {
    /** As the batch system is called on command lines. */
    String word();

    /** The command line that submits. */
    List<String> submit(Wanted wanted);

    /** The job's id, from what a submission that succeeded has printed. */
    Optional<String> id(String printed);

    /** Command lines that tell of a job, to be asked in this order until one knows it. */
    List<List<String>> questions(String id);

    /**
     * What the answer to a question says; empty when it says nothing of the job.
     *
     * @param question its place in {@link #questions}
     */
    Optional<UserJob.Status> status(int question, String printed);

    /** Seconds for which a job that has just ended may be unknown to every question. */
    int settlesWithin();

    /** The command line that lists a user's jobs which have not ended. */
    List<String> list(String user);

    /** That user's jobs, of what {@link #list} has printed. */
    List<UserJob> jobs(String user, String printed);

    /** The batch systems with commands for users. */
    enum Kind {
        SLURM(new SlurmCommands(), "sbatch"),
        GRID_ENGINE(new GridEngineCommands(), "qconf"),
        OPENPBS(new PbsCommands("openpbs", true), "pbs_rstat"),
        TORQUE(new PbsCommands("torque", false), "pbs-config");

        @SuppressWarnings("ImmutableEnumChecker") // they have no state
        private final UserCommands commands;

        private final String witness;

        Kind(UserCommands commands, String witness) {
            this.commands = commands;
            this.witness = witness;
        }

        public UserCommands commands() {
            return commands;
        }

        /** A program that this batch system has and no other. */
        public String witness() {
            return witness;
        }

        public static Optional<Kind> of(String word) {
            return Arrays.stream(values())
                    .filter(kind -> kind.commands.word().equals(word))
                    .findFirst();
        }

        public static List<String> words() {
            return Arrays.stream(values()).map(kind -> kind.commands.word()).toList();
        }

        /**
         * The batch systems of a host.
         *
         * @param has whether there is a program of that name
         */
        public static List<Kind> on(Predicate<String> has) {
            return Arrays.stream(values())
                    .filter(kind -> has.test(kind.witness))
                    .toList();
        }
    }
}
