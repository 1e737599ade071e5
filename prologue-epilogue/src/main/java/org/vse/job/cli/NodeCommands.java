package org.vse.job.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
    static final class Cores implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Listing listing = new Listing();

        Cores(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return listing.print(
                    context, Target.of("v1", "node"), "cores", List.of("core", "numa", "state", "holders", "jobs"));
        }
    }
}
