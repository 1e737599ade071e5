package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Looks at images and builds them. */
@Command(
        name = "image",
        description = "Looks at images and builds them.",
        subcommands = {ImageCommands.Ls.class, ImageCommands.Build.class})
final class ImageCommands {
    @Command(
            name = "ls",
            description = "Lists the images that jobs can name.",
            footer = {"%nExamples:", "  vse image ls", "  vse image ls --format json"})
    static final class Ls implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Listing listing = new Listing();

        Ls(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return listing.print(
                    context,
                    Target.of("v1", "images"),
                    "images",
                    List.of("name", "digest", "virtualBytes", "kernels", "created"));
        }
    }

    @Command(
            name = "build",
            description = "Builds an image from a recipe and adds it to this node's store; for root.",
            footer = {"%nExamples:", "  vse image build examples/images/debian-12.yaml"})
    static final class Build implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "RECIPE", description = "The recipe, see docs/images.md.")
        private String recipe = "";

        Build(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Path file = context.directory().resolve(recipe);
            context.io().print(context.images(false).build(file).digest());
            return 0;
        }
    }
}
