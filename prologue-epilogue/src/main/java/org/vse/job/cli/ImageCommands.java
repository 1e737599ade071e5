package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.vse.imagestore.Retag;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at images, makes them and looks after them. */
@Command(
        name = "image",
        description = "Looks at images, makes them and looks after them.",
        subcommands = {
            ImageCommands.Ls.class,
            ImageCommands.Build.class,
            ImageImport.class,
            ImageEdit.class,
            ImageLooks.Inspect.class,
            ImageLooks.Verify.class,
            ImageLooks.Diff.class,
            ImageUpkeep.Tag.class,
            ImageUpkeep.Rm.class,
            ImageUpkeep.Gc.class,
            ImageUpkeep.Export.class,
            ImageUpkeep.Pull.class
        })
final class ImageCommands {
    /** Offered by every command that sets a tag. */
    static final class Force {
        @Option(
                names = "--force",
                description = "Moves the tag when it points to another image. Jobs that were admitted keep theirs.")
        private boolean force;

        Retag retag() {
            return force ? Retag.MOVE : Retag.REFUSE;
        }
    }

    @Command(
            name = "ls",
            description = "Lists the images that jobs can name.",
            footer = {"%nExamples:", "  vse image ls", "  vse image ls --format json"})
    static final class Ls extends ListCommand {
        Ls(Context context) {
            super(
                    context,
                    Target.of("v1", "images"),
                    "images",
                    List.of("name", "digest", "virtualBytes", "kernels", "created"));
        }
    }

    @Command(
            name = "build",
            description = {
                "Builds an image from a recipe and adds it to this node's store; for root.",
                "The same recipe with the same package versions gives the same digest. When the tag points to an image",
                "that came out differently, what differs is shown, and the tag stays unless --force is given."
            },
            footer = {
                "%nExamples:",
                "  vse image build examples/images/debian-12.yaml",
                "  vse image build --force examples/images/debian-12.yaml"
            })
    static final class Build implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "RECIPE", description = "The recipe, see docs/images.md.")
        private String recipe = "";

        @Mixin
        private Force force = new Force();

        Build(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Path file = context.directory().resolve(recipe);
            context.io().print(context.images(false).build(file, force.retag()).digest());
            return 0;
        }
    }
}
