package org.vse.job.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.concurrent.Callable;
import org.vse.job.client.Answer;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.ledger.EventBatch;
import org.vse.ledger.LedgerArchive;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Keeps the ledger. */
@Command(
        name = "ledger",
        description = "Copies the ledger out and in, and removes what is old.",
        subcommands = {LedgerCommands.Export.class, LedgerCommands.Import.class, LedgerCommands.Prune.class})
final class LedgerCommands {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int BATCH = 400;

    @Command(
            name = "export",
            description = "Prints the whole ledger: a line for each event, each with its checksum.",
            footer = {"%nExamples:", "  vse ledger export > ledger.ndjson"})
    static final class Export implements Callable<Integer> {
        private final Context context;

        Export(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            try (Answer answer =
                    context.client().open(Request.get(Target.of("v1", "ledger")).withPatience(PATIENCE))) {
                answer.copyTo(context.io().out());
            }
            context.io().out().flush();
            return 0;
        }
    }

    @Command(
            name = "import",
            description = "Adds what 'vse ledger export' has printed; what is there already is not added again.",
            footer = {"%nExamples:", "  vse ledger import ledger.ndjson"})
    static final class Import implements Callable<Integer> {
        private final Context context;

        @Parameters(paramLabel = "FILE", description = "What was exported.")
        private Path file = Path.of("");

        Import(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            ObjectMapper json = new ObjectMapper();
            long[] added = {0};
            long read;
            try (InputStream from = Files.newInputStream(context.directory().resolve(file))) {
                read = LedgerArchive.read(from, BATCH, events -> {
                    ObjectNode body = json.createObjectNode();
                    body.set("events", EventBatch.write(events));
                    JsonObject answer = context.client()
                            .call(Request.post(Target.of("v1", "ledger", "events"), body.toString())
                                    .withPatience(PATIENCE));
                    added[0] += answer.number("added").orElse(0);
                });
            }
            context.io().print(read + " events read, " + added[0] + " of them new");
            return 0;
        }
    }

    @Command(
            name = "prune",
            description = {
                "Removes VMs that ended before a time, and what else happened before it.",
                "A copy can be kept with 'vse ledger export'."
            },
            footer = {"%nExamples:", "  vse ledger prune --before 2025-01-01"})
    static final class Prune implements Callable<Integer> {
        private final Context context;

        @Option(names = "--before", paramLabel = "TIME", required = true, description = "A time or an age: 730d.")
        private String before = "";

        Prune(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Instant time = Moments.parse(before, context.clock().instant(), ZoneId.systemDefault());
            JsonObject answer = context.client()
                    .call(Request.post(Target.of("v1", "ledger", "prune"), "{\"before\":\"" + time + "\"}")
                            .withPatience(PATIENCE));
            context.io().print(answer.number("vms").orElse(0) + " VMs removed");
            return 0;
        }
    }
}
