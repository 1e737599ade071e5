package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.job.install.FileChange;
import org.vse.job.install.InstallPlan;
import org.vse.job.install.Installation;
import org.vse.job.install.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code vse install}. */
@Command(
        name = "install",
        description = {
            "Lets a batch system call VSE: writes its hooks and the lines of its configuration.",
            "Shows what changes before it changes anything. What the site has there already is called by ours."
        },
        footer = {
            "%nExamples:",
            "  vse install --scheduler slurm --dry-run         what would change",
            "  vse install --scheduler slurm --role node       on a compute node",
            "  vse install --scheduler slurm --uninstall       gives back every byte"
        })
final class InstallCommand implements Callable<Integer> {
    private final Context context;

    @Option(
            names = "--scheduler",
            required = true,
            paramLabel = "NAME",
            description = "The batch system: slurm, gridengine.")
    private String scheduler = "";

    @Option(names = "--role", paramLabel = "ROLE", description = "submit, node or head; all of them when not given.")
    private @Nullable String role;

    @Option(
            names = "--root",
            paramLabel = "DIRECTORY",
            defaultValue = "/",
            description = "Where the host's files are (default: /).")
    private Path root = Path.of("/");

    @Option(names = "--dry-run", description = "Changes nothing.")
    private boolean dryRun;

    @Option(names = "--uninstall", description = "Takes everything out again.")
    private boolean uninstall;

    InstallCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        InstallPlan.Host host = new InstallPlan.Host(root.toAbsolutePath());
        Installation installation = Installation.of(scheduler, host);
        InstallPlan plan = uninstall
                ? installation.uninstall()
                : installation.install(Role.of(role), context.self().argv());
        if (plan.changes().isEmpty()) {
            context.io().print("nothing to change");
            return 0;
        }
        for (FileChange change : plan.changes()) {
            context.io().print(change.diff());
        }
        if (!dryRun) {
            plan.apply(host);
        }
        context.io().print(dryRun ? "nothing was changed; without --dry-run, then:" : "changed; now:");
        for (String command : plan.afterwards()) {
            context.io().print("  " + command);
        }
        return 0;
    }
}
