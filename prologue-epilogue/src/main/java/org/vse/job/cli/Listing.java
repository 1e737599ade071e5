package org.vse.job.cli;

import java.io.IOException;
import java.util.List;
import org.vse.job.client.Json;
import picocli.CommandLine.Option;

/** What every command that shows things offers: {@code --format}. */
final class Listing {
    enum Format {
        table,
        json
    }

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "table for people (default), or json as in docs/api.md.",
            defaultValue = "table")
    Format format = Format.table;

    /** Prints the array {@code name} of an answer, its members as rows. */
    void print(Context context, String answer, String name, List<String> columns) throws IOException {
        context.io()
                .print(
                        format == Format.json
                                ? answer.strip()
                                : Table.of(Json.readObject(answer).objects(name), columns)
                                        .text());
    }
}
