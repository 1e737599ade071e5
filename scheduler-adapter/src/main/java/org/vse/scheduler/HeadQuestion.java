package org.vse.scheduler;

import java.util.List;
import java.util.Optional;

/**
 * How a node finds out whether it still reaches the daemon that its batch system is ruled by.
 *
 * @param argv the question
 * @param yes what the answer has in it when that daemon has answered; empty where the exit code says it
 */
public record HeadQuestion(List<String> argv, String yes) {
    public HeadQuestion {
        argv = List.copyOf(argv);
    }

    /** A site's own question, whose exit code says it. */
    public static HeadQuestion asked(List<String> argv) {
        return new HeadQuestion(argv, "");
    }

    /** The question of a batch system, whose programs are in PATH; empty for one that is not asked. */
    public static Optional<HeadQuestion> of(String scheduler) {
        return switch (scheduler) {
            case "slurm" -> Optional.of(new HeadQuestion(List.of("scontrol", "ping"), " is UP"));
            case "openpbs", "torque" -> Optional.of(new HeadQuestion(List.of("qstat", "-B"), ""));
            case "gridengine" -> Optional.of(new HeadQuestion(List.of("qconf", "-sss"), ""));
            default -> Optional.empty();
        };
    }

    public boolean isYes(int exitCode, String printed) {
        return exitCode == 0 && printed.contains(yes);
    }
}
