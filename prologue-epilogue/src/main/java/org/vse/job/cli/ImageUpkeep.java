package org.vse.job.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.Image;
import org.vse.imagestore.StoreUpkeep;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import org.vse.job.daemon.ImageUse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commands that change this node's store. */
final class ImageUpkeep {
    private static final List<String> REMOVED = List.of("what", "why", "bytes");

    private ImageUpkeep() {}

    /** What jobs were admitted with: what the daemon says, and what the files of jobs say where there is none. */
    private static Map<String, List<String>> inUse(Context context) throws IOException {
        Map<String, List<String>> use =
                new TreeMap<>(ImageUse.onDisk(context.site().state()));
        VsedClient client = context.client();
        if (client.reachable()) {
            JsonObject answer = Json.readObject(client.text(Request.get(Target.of("v1", "images"))));
            answer.object("inUse")
                    .ifPresent(said -> said.members()
                            .keySet()
                            .forEach(digest -> use.putIfAbsent(
                                    digest, List.of(said.shown(digest).split(",")))));
        }
        return use;
    }

    private static int print(Context context, Listing listing, List<StoreUpkeep.Removed> removed) throws IOException {
        List<Map<String, Object>> rows = new ArrayList<>();
        long bytes = 0;
        for (StoreUpkeep.Removed each : removed) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("what", each.what());
            row.put("why", each.why());
            row.put("bytes", each.bytes());
            rows.add(row);
            bytes += each.bytes();
        }
        ImageLooks.print(context, listing, "removed", REMOVED, rows);
        context.io().say("vse: " + (bytes >> 20) + " MiB freed");
        return 0;
    }

    private static int print(Context context, Listing listing, Image image) throws IOException {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", image.reference());
        row.put("digest", image.digest());
        row.put("path", image.disk().resolveSibling("").toString());
        ImageLooks.print(context, listing, "images", List.of("name", "digest", "path"), List.of(row));
        return 0;
    }

    @Command(
            name = "tag",
            description = "Gives an image another tag.",
            footer = {
                "%nExamples:",
                "  vse image tag debian-12 debian-12:2026-11",
                "  vse image tag --force sha256:… debian-12:latest"
            })
    static final class Tag implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "IMAGE", description = "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX.")
        private String reference = "";

        @Parameters(index = "1", paramLabel = "NAME:TAG", description = "The tag.")
        private String tag = "";

        @Mixin
        private ImageCommands.Force force = new ImageCommands.Force();

        @Mixin
        private Listing listing = new Listing();

        Tag(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Image image = context.site().images().upkeep().tag(reference, tag, force.retag());
            return print(context, listing, image);
        }
    }

    @Command(
            name = "rm",
            description = {
                "Removes a tag, and the image when that was its last one; by its digest, an image with all its tags.",
                "An image that a job was admitted with stays, and so does its last tag."
            },
            footer = {"%nExamples:", "  vse image rm debian-12:2026-10", "  vse image rm sha256:…"})
    static final class Rm implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "IMAGE", description = "NAME, NAME:TAG or sha256:HEX.")
        private String reference = "";

        @Mixin
        private Listing listing = new Listing();

        Rm(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(context, listing, context.site().images().upkeep().remove(reference, inUse(context)));
        }
    }

    @Command(
            name = "gc",
            description = {
                "Removes images without a tag that no job was admitted with, what is left of fetches, and what crashed",
                "writers left; says what it freed."
            },
            footer = {"%nExamples:", "  vse image gc", "  vse image gc --cached --format json"})
    static final class Gc implements Callable<Integer> {
        private final Context context;

        @Option(names = "--cached", description = "Also images that were fetched from the node's source.")
        private boolean cached;

        @Mixin
        private Listing listing = new Listing();

        Gc(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(context, listing, context.site().images().upkeep().gc(inUse(context), cached));
        }
    }

    @Command(
            name = "export",
            description = {
                "Copies an image into the store of another directory, every byte compared with its digest. Other nodes",
                "get it from there: by 'vse image pull', or by image-source in vsed.yaml."
            },
            footer = {"%nExamples:", "  vse image export debian-12 /srv/images"})
    static final class Export implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "IMAGE", description = "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX.")
        private String reference = "";

        @Parameters(index = "1", paramLabel = "DIRECTORY", description = "Made when it is not there.")
        private String directory = "";

        @Mixin
        private ImageCommands.Force force = new ImageCommands.Force();

        @Mixin
        private Listing listing = new Listing();

        Export(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Image image = context.site().images().resolve(reference);
            return print(
                    context,
                    listing,
                    context.site()
                            .images()
                            .upkeep()
                            .export(image, context.directory().resolve(directory), force.retag()));
        }
    }

    @Command(
            name = "pull",
            description = "Brings an image from another store's directory, every byte compared with its digest.",
            footer = {"%nExamples:", "  vse image pull debian-12 --from /srv/images"})
    static final class Pull implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "NAME:TAG", description = "The image, as it is called there.")
        private String tag = "";

        @Option(names = "--from", paramLabel = "DIRECTORY", required = true, description = "Root of the other store.")
        private String directory = "";

        @Mixin
        private ImageCommands.Force force = new ImageCommands.Force();

        @Mixin
        private Listing listing = new Listing();

        Pull(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            DirectorySource source = new DirectorySource(context.directory().resolve(directory));
            return print(context, listing, context.site().images().upkeep().pull(source, tag, force.retag()));
        }
    }
}
