package org.vse.job.cli;

import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.ledger.ReportFormat;
import org.vse.ledger.VmReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks the ledger. */
@Command(
        name = "report",
        description = "Asks the ledger what ran where and when.",
        subcommands = {ReportCommands.Vms.class})
final class ReportCommands {
    enum Format {
        table(ReportFormat.TABLE),
        csv(ReportFormat.CSV),
        json(ReportFormat.JSON);

        private final ReportFormat format;

        Format(ReportFormat format) {
            this.format = format;
        }

        ReportFormat of() {
            return format;
        }
    }

    @Command(
            name = "vms",
            description = "Which VM ran where, when, on which cores, from which image digest.",
            footer = {
                "%nExamples:",
                "  vse report vms --since 7d",
                "  vse report vms --since 2026-11-01 --until 2026-12-01 --user alice --format csv > november.csv",
                "  vse report vms --node n1 --since 12h"
            })
    static final class Vms implements Callable<Integer> {
        private static final String MOMENT =
                "2026-11-21, 2026-11-21T09:00 (local time), 2026-11-21T09:00:00Z, or an age: 30m, 12h, 7d.";

        private final Context context;

        @Option(
                names = "--since",
                paramLabel = "TIME",
                description = {"VMs that ended after this:", MOMENT})
        private @Nullable String since;

        @Option(names = "--until", paramLabel = "TIME", description = "VMs that started before this.")
        private @Nullable String until;

        @Option(names = "--user", paramLabel = "NAME", description = "VMs of this user's jobs.")
        private @Nullable String user;

        @Option(names = "--node", paramLabel = "NAME", description = "VMs on this node.")
        private @Nullable String node;

        @Option(names = "--image", paramLabel = "NAME", description = "VMs with this image.")
        private @Nullable String image;

        @Option(names = "--job", paramLabel = "JOB", description = "VMs of this job.")
        private @Nullable String job;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "table (default), csv (RFC 4180) or json.",
                defaultValue = "table")
        private Format format = Format.table;

        Vms(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Target target = Target.of("v1", "report", "vms");
            Instant from = parsed(since);
            Instant to = parsed(until);
            target = filter(target, "since", from == null ? null : from.toString());
            target = filter(target, "until", to == null ? null : to.toString());
            target = filter(target, "user", user);
            target = filter(target, "node", node);
            target = filter(target, "image", image);
            target = filter(target, "job", job);
            String text = context.client().text(Request.get(target));
            VmReport report = VmReport.parse(text, from, to, context.clock().instant());
            if (report.intervals().isEmpty() && format == Format.table) {
                context.io().say("vse: no VM ran in this time");
                return 0;
            }
            context.io()
                    .print(report.render(format.of(), ZoneId.systemDefault()).stripTrailing());
            return 0;
        }

        private @Nullable Instant parsed(@Nullable String text) {
            return text == null ? null : Moments.parse(text, context.clock().instant(), ZoneId.systemDefault());
        }

        private static Target filter(Target target, String name, @Nullable String value) {
            return value == null ? target : target.with(name, value);
        }
    }
}
