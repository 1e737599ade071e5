package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.SiteAuthority;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes the certificates by which the nodes of a site know each other. */
@Command(
        name = "certs",
        description = "Makes the certificates by which the nodes of a site know each other.",
        subcommands = {CertsCommands.Init.class, CertsCommands.Issue.class})
final class CertsCommands {
    private static final Pattern NODE = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    private static Path authority(Context context, @Nullable Path given) {
        return context.directory()
                .resolve(given == null ? context.site().config().resolve("authority") : given);
    }

    private static Duration days(int days) {
        if (days < 1 || days > 36_500) {
            throw VseException.of(ErrorCode.USAGE, "--days takes a number from 1 to 36500")
                    .fact("found", days);
        }
        return Duration.ofDays(days);
    }

    @Command(
            name = "init",
            description = {
                "Makes the site's authority: ca.pem, which every node gets, and ca.key, which makes nodes. Whoever has",
                "ca.key can be any node: keep it where only administrators come. Nothing is overwritten."
            },
            footer = {"%nExamples:", "  vse certs init", "  vse certs init --authority /root/vse-authority"})
    static final class Init implements Callable<Integer> {
        private final Context context;

        @Option(
                names = "--authority",
                paramLabel = "DIR",
                description = "Directory of the authority (/etc/vse/authority).")
        private @Nullable Path authority;

        @Option(names = "--site", defaultValue = "site", paramLabel = "NAME", description = "Name in the certificate.")
        private String site = "site";

        @Option(names = "--days", defaultValue = "3650", paramLabel = "N", description = "Valid for N days (3650).")
        private int days;

        Init(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            if (!NODE.matcher(site).matches()) {
                throw VseException.of(ErrorCode.USAGE, "--site takes letters, digits and '-'")
                        .fact("found", site);
            }
            Path directory = authority(context, authority);
            new SiteAuthority(directory).init(site, days(days), context.clock().instant());
            context.io().print(directory.resolve(PeerIdentity.AUTHORITY).toString());
            context.io().print(directory.resolve(SiteAuthority.KEY).toString());
            context.io().say("next: vse certs issue NODE…, with the names that nodes have in vsed.yaml or as hosts");
            return 0;
        }
    }

    @Command(
            name = "issue",
            description = {
                "Makes the files of nodes: DIR/NODE/ca.pem, node.pem and node.key. Copy each node's three files to",
                "/etc/vse/certs on that node; node.key must stay readable to root only. Nothing is overwritten."
            },
            footer = {
                "%nExamples:",
                "  vse certs issue n1 n2 n3",
                "  vse certs issue n4 --out /root/new-nodes --days 365"
            })
    static final class Issue implements Callable<Integer> {
        private final Context context;

        @Parameters(arity = "1..*", paramLabel = "NODE", description = "Name of a node.")
        private List<String> nodes = List.of();

        @Option(
                names = "--authority",
                paramLabel = "DIR",
                description = "Directory of the authority (/etc/vse/authority).")
        private @Nullable Path authority;

        @Option(
                names = "--out",
                paramLabel = "DIR",
                description = "Where the nodes' directories are made (AUTHORITY/nodes).")
        private @Nullable Path out;

        @Option(names = "--days", defaultValue = "825", paramLabel = "N", description = "Valid for N days (825).")
        private int days;

        Issue(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            for (String node : nodes) {
                if (!NODE.matcher(node).matches()) {
                    throw VseException.of(ErrorCode.USAGE, "'" + node + "' is not the name of a node")
                            .fact("expected", "one label of a host name: letters, digits, '-'");
                }
            }
            Path directory = authority(context, authority);
            Path target = out == null
                    ? directory.resolve("nodes")
                    : context.directory().resolve(out);
            for (String node : nodes) {
                new SiteAuthority(directory)
                        .issue(
                                node,
                                target.resolve(node),
                                days(days),
                                context.clock().instant());
                context.io().print(target.resolve(node).toString());
            }
            return 0;
        }
    }
}
