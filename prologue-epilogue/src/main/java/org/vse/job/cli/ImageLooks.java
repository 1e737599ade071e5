package org.vse.job.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageDifference;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.StoreUpkeep;
import org.vse.job.client.Json;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commands that look at the images of this node's store and change nothing. They need no vsed. */
final class ImageLooks {
    private static final int FOUND_SOMETHING = 1;

    private ImageLooks() {}

    /** Prints rows as a table, or as JSON under a name. */
    static void print(
            Context context, Listing listing, String name, List<String> columns, List<Map<String, Object>> rows)
            throws IOException {
        String json = Json.write(Map.of(name, rows));
        context.io()
                .print(
                        listing.format == Listing.Format.json
                                ? json
                                : Table.of(Json.readObject(json).objects(name), columns)
                                        .text());
    }

    @Command(
            name = "inspect",
            description = "Shows all that is known of an image.",
            footer = {"%nExamples:", "  vse image inspect debian-12", "  vse image inspect sha256:… --format json"})
    static final class Inspect implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "IMAGE", description = "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX.")
        private String reference = "";

        @Mixin
        private Listing listing = new Listing();

        Inspect(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            ImageStore store = context.site().images();
            Image image = store.resolve(reference);
            StoreUpkeep.Details details = StoreUpkeep.details(image);
            Map<String, @Nullable Object> view = new LinkedHashMap<>();
            view.put("name", image.reference());
            view.put("digest", image.digest());
            view.put("tags", details.tags());
            view.put("format", image.format());
            view.put("virtualBytes", image.virtualSizeBytes());
            view.put("bytes", details.bytes());
            view.put("boot", image.diskBoot().isPresent() ? "disk" : "kernel");
            view.put("guest", "agent");
            view.put("kernels", image.kernels().stream().map(Inspect::view).toList());
            image.diskBoot()
                    .ifPresent(disk -> view.put(
                            "provides",
                            disk.provides().stream()
                                    .map(String::valueOf)
                                    .sorted()
                                    .toList()));
            view.put("created", image.created().toString());
            view.put("source", details.source());
            view.put("labels", details.labels());
            view.put("verified", store.quickVerified(image));
            view.put("path", image.disk().toString());
            context.io().print(listing.format == Listing.Format.json ? Json.write(view) : text(view));
            return 0;
        }

        private static Map<String, Object> view(Kernel kernel) {
            Map<String, Object> view = new LinkedHashMap<>();
            view.put("name", kernel.name());
            view.put(
                    "provides",
                    kernel.provides().stream().map(String::valueOf).sorted().toList());
            view.put("commandLine", kernel.commandLine());
            return view;
        }

        private static String text(Map<String, @Nullable Object> view) {
            StringBuilder text = new StringBuilder();
            view.forEach((name, value) -> {
                if (value instanceof List<?> list && !list.isEmpty() && list.get(0) instanceof Map<?, ?>) {
                    list.forEach(each -> line(text, name, each));
                } else if (value instanceof Map<?, ?> map) {
                    map.forEach((key, each) -> line(text, name + " " + key, each));
                } else {
                    line(text, name, value instanceof List<?> list ? String.join(", ", strings(list)) : value);
                }
            });
            return text.toString().stripTrailing();
        }

        private static List<String> strings(List<?> list) {
            return list.stream().map(String::valueOf).toList();
        }

        private static void line(StringBuilder text, String name, @Nullable Object value) {
            text.append(String.format("%-18s", name))
                    .append(String.valueOf(value).replaceAll("\\p{Cntrl}", "?"))
                    .append('\n');
        }
    }

    @Command(
            name = "verify",
            description = {
                "Compares every byte of an image with its digests. With --all, every image of this node's store, and",
                "where every tag leads. Exit code 1 when something is damaged."
            },
            footer = {"%nExamples:", "  vse image verify debian-12", "  vse image verify --all --format json"})
    static final class Verify implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", arity = "0..1", paramLabel = "IMAGE", description = "The image.")
        private String reference = "";

        @Option(names = "--all", description = "All images.")
        private boolean all;

        @Mixin
        private Listing listing = new Listing();

        Verify(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            if (all == !reference.isEmpty()) {
                throw VseException.of(ErrorCode.USAGE, "an image or --all is to be given")
                        .next("vse image verify --help");
            }
            ImageStore store = context.site().images();
            List<StoreUpkeep.Verdict> verdicts =
                    all ? store.upkeep().verifyAll() : List.of(verdict(store, store.resolve(reference)));
            List<Map<String, Object>> rows = new ArrayList<>();
            for (StoreUpkeep.Verdict verdict : verdicts) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("digest", verdict.digest());
                row.put("tags", verdict.tags());
                row.put("state", verdict.damage().isPresent() ? "damaged" : "good");
                row.put("found", verdict.damage().map(VseException::what).orElse(""));
                row.put(
                        "file",
                        verdict.damage()
                                .map(damage -> damage.facts().getOrDefault("file", ""))
                                .orElse(""));
                rows.add(row);
            }
            print(context, listing, "images", List.of("digest", "tags", "state", "found", "file"), rows);
            return verdicts.stream().anyMatch(verdict -> verdict.damage().isPresent()) ? FOUND_SOMETHING : 0;
        }

        private static StoreUpkeep.Verdict verdict(ImageStore store, Image image) {
            try {
                store.verify(image);
                return new StoreUpkeep.Verdict(image.digest(), List.of(image.reference()), Optional.empty());
            } catch (VseException e) {
                if (e.code() != ErrorCode.IMAGE_CORRUPT) {
                    throw e;
                }
                return new StoreUpkeep.Verdict(image.digest(), List.of(image.reference()), Optional.of(e));
            }
        }
    }

    @Command(
            name = "diff",
            description = {
                "Says in what two images differ: packages, files, kernels, labels. Exit code 1 when they do.",
                "Files and packages are known of images that were built here."
            },
            footer = {"%nExamples:", "  vse image diff debian-12:latest debian-12:2026-11"})
    static final class Diff implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "IMAGE", description = "One image.")
        private String one = "";

        @Parameters(index = "1", paramLabel = "OTHER", description = "The other.")
        private String other = "";

        @Mixin
        private Listing listing = new Listing();

        Diff(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            ImageStore store = context.site().images();
            List<String> lines = ImageDifference.between(store.resolve(one), store.resolve(other));
            if (listing.format == Listing.Format.json) {
                context.io().print(Json.write(Map.of("differences", lines)));
            } else if (!lines.isEmpty()) {
                context.io().print(String.join("\n", lines));
            }
            return lines.isEmpty() ? 0 : FOUND_SOMETHING;
        }
    }
}
