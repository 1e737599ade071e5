package org.vse.job.cli;

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
}
