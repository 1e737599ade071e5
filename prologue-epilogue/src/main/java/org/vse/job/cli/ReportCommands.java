package org.vse.job.cli;

import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.ledger.Grouping;
import org.vse.ledger.ReportFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Asks the ledger. */
@Command(
        name = "report",
        description = "Asks the ledger what ran where and when, and what it took.",
        subcommands = {
            ReportCommands.Vms.class,
            ReportCommands.Nodes.class,
            ReportCommands.Jobs.class,
            ReportCommands.Users.class,
            ReportCommands.Accounts.class,
            ReportCommands.Images.class,
            ReconcileCommand.class
        })
final class ReportCommands {
    enum Format {
        table(ReportFormat.TABLE),
        csv(ReportFormat.CSV),
        json(ReportFormat.JSON),
        html(ReportFormat.HTML);

        private final ReportFormat format;

        Format(ReportFormat format) {
            this.format = format;
        }

        ReportFormat of() {
            return format;
        }
    }

    /** What every report takes. */
    static final class Selection {
        private static final String MOMENT =
                "2026-11-21, 2026-11-21T09:00 (local time), 2026-11-21T09:00:00Z, or an age: 30m, 12h, 7d.";

        @Option(
                names = "--since",
                paramLabel = "TIME",
                description = {"VMs that ended after this:", MOMENT})
        private @Nullable String since;

        @Option(names = "--until", paramLabel = "TIME", description = "VMs that started before this.")
        private @Nullable String until;

        @Option(names = "--user", paramLabel = "NAME", description = "VMs of this user's jobs.")
        private @Nullable String user;

        @Option(names = "--queue", paramLabel = "NAME", description = "VMs of jobs in this queue or partition.")
        private @Nullable String queue;

        @Option(names = "--account", paramLabel = "NAME", description = "VMs of jobs charged to this account.")
        private @Nullable String account;

        @Option(names = "--node", paramLabel = "NAME", description = "VMs on this node.")
        private @Nullable String node;

        @Option(names = "--image", paramLabel = "NAME", description = "VMs with this image, by name or digest.")
        private @Nullable String image;

        @Option(names = "--job", paramLabel = "JOB", description = "VMs of this job.")
        private @Nullable String job;

        @Option(
                names = "--limit",
                paramLabel = "N",
                description = "VMs or jobs to list, the newest; 10000 unless given, at most 50000.",
                defaultValue = "10000")
        private int limit;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "table (default), csv (RFC 4180), json, or html: one page for a browser, with pictures.",
                defaultValue = "table")
        private Format format = Format.table;

        @Nullable
        Instant since(Context context) {
            return parsed(since, context);
        }

        @Nullable
        Instant until(Context context) {
            return parsed(until, context);
        }

        ReportFormat format() {
            return format.of();
        }

        Target target(String what, Context context) {
            Instant from = since(context);
            Instant to = until(context);
            Target target = Target.of("v1", "report", what)
                    .with("limit", limit)
                    .with("format", format().word())
                    .with("zone", ZoneId.systemDefault().getId());
            target = filter(target, "since", from == null ? null : from.toString());
            target = filter(target, "until", to == null ? null : to.toString());
            target = filter(target, "user", user);
            target = filter(target, "queue", queue);
            target = filter(target, "account", account);
            target = filter(target, "node", node);
            target = filter(target, "image", image);
            return filter(target, "job", job);
        }

        private static @Nullable Instant parsed(@Nullable String text, Context context) {
            return text == null ? null : Moments.parse(text, context.clock().instant(), ZoneId.systemDefault());
        }

        private static Target filter(Target target, String name, @Nullable String value) {
            return value == null ? target : target.with(name, value);
        }
    }

    private static int print(String what, Selection selection, Context context) throws IOException {
        JsonObject report = context.client().call(Request.get(selection.target(what, context)));
        if (is(report, "empty") && selection.format() == ReportFormat.TABLE) {
            context.io().say("vse: no VM ran in this time");
            return 0;
        }
        context.io().print(report.text("text").orElse("").stripTrailing());
        if (is(report, "more")) {
            context.io().say("vse: older ones were left out; --limit lists more");
        }
        return 0;
    }

    private static boolean is(JsonObject report, String what) {
        return Boolean.TRUE.equals(report.members().get(what));
    }

    @Command(
            name = "vms",
            description = "Which VM ran where, when, on which cores, from which image digest.",
            footer = {
                "%nExamples:",
                "  vse report vms --since 7d",
                "  vse report vms --since 2026-11-01 --until 2026-12-01 --user alice --format csv > november.csv",
                "  vse report vms --since 1d --format html > yesterday.html"
            })
    static final class Vms implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Vms(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print("vms", selection, context);
        }
    }

    @Command(
            name = "nodes",
            description = "What ran on each node.",
            footer = {"%nExamples:", "  vse report nodes --since 7d"})
    static final class Nodes implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Nodes(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(Grouping.NODES.word(), selection, context);
        }
    }

    @Command(
            name = "jobs",
            description = "What the VMs of each job took.",
            footer = {"%nExamples:", "  vse report jobs --user alice --since 1d"})
    static final class Jobs implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Jobs(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(Grouping.JOBS.word(), selection, context);
        }
    }

    @Command(
            name = "users",
            description = "What the VMs of each user took.",
            footer = {"%nExamples:", "  vse report users --since 2026-11-01 --until 2026-12-01"})
    static final class Users implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Users(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(Grouping.USERS.word(), selection, context);
        }
    }

    @Command(
            name = "accounts",
            description = "What was taken for each account.",
            footer = {"%nExamples:", "  vse report accounts --since 30d --format csv"})
    static final class Accounts implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Accounts(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(Grouping.ACCOUNTS.word(), selection, context);
        }
    }

    @Command(
            name = "images",
            description = "How much each image ran, by digest.",
            footer = {"%nExamples:", "  vse report images --since 30d"})
    static final class Images implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Selection selection = new Selection();

        Images(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            return print(Grouping.IMAGES.word(), selection, context);
        }
    }
}
