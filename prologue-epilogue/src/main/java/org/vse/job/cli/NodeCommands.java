package org.vse.job.cli;

import java.util.List;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;

/** Looks at this node. */
@Command(
        name = "node",
        description = "Looks at this node.",
        subcommands = {NodeCommands.Cores.class})
final class NodeCommands {
    @Command(
            name = "cores",
            description = {
                "Lists the cores that jobs may have, as vsed.yaml or the kernel gives them, and which job has them.",
                "Of other users' jobs only root sees the names."
            },
            footer = {"%nExamples:", "  vse node cores", "  vse node cores --format json"})
    static final class Cores extends ListCommand {
        Cores(Context context) {
            super(context, Target.of("v1", "node"), "cores", List.of("core", "numa", "state", "holders", "jobs"));
        }
    }
}
