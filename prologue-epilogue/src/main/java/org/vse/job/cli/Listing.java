package org.vse.job.cli;

import java.io.IOException;
import java.util.List;
import org.vse.job.client.Json;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Option;

/** What every command that lists things offers: {@code --format}. */
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

    /** Prints the array {@code name} of an answer. */
    int print(Context context, Target target, String name, List<String> columns) throws IOException {
        String text = context.client().text(Request.get(target));
        if (format == Format.json) {
            context.io().print(text.strip());
        } else {
            context.io()
                    .print(Table.of(Json.readObject(text).objects(name), columns)
                            .text());
        }
        return 0;
    }
}
