package org.vse.job.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.ledger.OutcomeJson;
import org.vse.ledger.ReportTable;
import org.vse.ledger.VmInterval;
import org.vse.ledger.VmReport;
import org.vse.ledger.charge.Accounting;
import org.vse.ledger.charge.Charge;
import org.vse.ledger.charge.Difference;
import org.vse.ledger.charge.Reconciliation;
import org.vse.ledger.charge.Sacct;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The ledger beside the accounting of a batch system. */
@CommandLine.Command(
        name = "reconcile",
        description = {
            "Compares the core time of VMs with what a batch system has charged, and tells every difference and its reason.",
            "Exit code 1 when something is not explained."
        },
        footer = {
            "%nExamples:",
            "  vse report reconcile slurm --since 7d                                      asks sacct",
            "  vse report reconcile slurm --file /var/log/slurm/jobcomp",
            "  vse report reconcile gridengine --file /var/lib/gridengine/default/common/accounting",
            "  vse report reconcile pbs --file /var/spool/pbs/server_priv/accounting/20261121"
        })
final class ReconcileCommand implements Callable<Integer> {
    private static final int PAGE = 10_000;
    private static final int MAX_BYTES = 256 << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** The machines of a job begin to run later than it. */
    private static final Duration START = Duration.ofHours(1);

    private final Context context;

    @Parameters(paramLabel = "SYSTEM", description = "slurm, gridengine or pbs (OpenPBS and TORQUE).")
    private String system = "";

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "Its accounting file; for Slurm that of jobcomp/filetxt, or what sacct -P -X -D has printed.")
    private @Nullable Path file;

    @Option(names = "--since", paramLabel = "TIME", description = "Jobs that began after this; an age or a time.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Jobs that began before this.")
    private @Nullable String until;

    @Option(names = "--all", description = "Also differences that are explained one by one.")
    private boolean all;

    ReconcileCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        Accounting form = Arrays.stream(Accounting.values())
                .filter(each -> each.word().equals(system))
                .findFirst()
                .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "'" + system + "' is no batch system known here")
                        .fact("allowed", "slurm, gridengine, pbs"));
        Instant now = context.clock().instant();
        Instant from = moment(since, now);
        Instant to = moment(until, now);
        String accounting = text(form, from, to);
        List<Charge> charges = form.read(accounting, ZoneId.systemDefault());
        String outcomes = context.client().text(Request.get(target("outcomes", from, null)));
        boolean pbs = form == Accounting.PBS;
        Reconciliation result = Reconciliation.of(
                charges,
                intervals(from, to == null ? null : to.plus(START), now).stream()
                        .filter(vm -> isOf(form, pbs, vm.job().scheduler()))
                        .toList(),
                OutcomeJson.read(outcomes).stream()
                        .filter(outcome -> isOf(form, pbs, outcome.job().scheduler()))
                        .toList(),
                form.bounds(),
                new Reconciliation.Scope(from, to, form.tellsOfRunningJobs(accounting)),
                now);
        show(result);
        return result.unexplained().isEmpty() ? 0 : 1;
    }

    private static boolean isOf(Accounting form, boolean pbs, String scheduler) {
        return pbs ? scheduler.equals("openpbs") || scheduler.equals("torque") : scheduler.equals(form.word());
    }

    /** All of them, the newest first in pages: an answer has only so many. */
    private List<VmInterval> intervals(@Nullable Instant from, @Nullable Instant to, Instant now) {
        Map<UUID, VmInterval> found = new LinkedHashMap<>();
        Instant until = to;
        while (true) {
            VmReport page =
                    VmReport.parse(context.client().text(Request.get(target("vms", from, until))), from, until, now);
            int before = found.size();
            page.intervals().forEach(vm -> found.put(vm.id(), vm));
            if (!page.more()) {
                return List.copyOf(found.values());
            }
            if (found.size() == before) {
                throw VseException.of(
                        ErrorCode.INTERNAL, "more than " + PAGE + " machines began in the same microsecond");
            }
            until = page.intervals().get(0).started().plus(1, ChronoUnit.MICROS);
        }
    }

    private static Target target(String what, @Nullable Instant from, @Nullable Instant to) {
        Target target = Target.of("v1", "report", what).with("limit", PAGE);
        target = from == null ? target : target.with("since", from);
        return to == null ? target : target.with("until", to);
    }

    private @Nullable Instant moment(@Nullable String text, Instant now) {
        return text == null ? null : Moments.parse(text, now, ZoneId.systemDefault());
    }

    private String text(Accounting form, @Nullable Instant from, @Nullable Instant to) throws IOException {
        Path named = file;
        if (named != null) {
            Path path = context.directory().resolve(named);
            if (!Files.isRegularFile(path) || Files.size(path) > MAX_BYTES) {
                throw VseException.of(ErrorCode.USAGE, "'" + named + "' is not an accounting file of at most 256 MiB");
            }
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        }
        if (form != Accounting.SLURM) {
            throw VseException.of(ErrorCode.USAGE, "for " + form.word() + " the accounting file has to be named")
                    .next("vse report reconcile " + form.word() + " --file FILE");
        }
        return sacct(from, to);
    }

    private String sacct(@Nullable Instant from, @Nullable Instant to) {
        List<String> argv = new ArrayList<>(List.of(
                "sacct", "--parsable2", "--allocations", "--duplicates", "--allusers", "--format=" + Sacct.FIELDS));
        argv.add("--starttime=" + (from == null ? "1970-01-02" : "uts" + from.getEpochSecond()));
        if (to != null) {
            argv.add("--endtime=uts" + to.getEpochSecond());
        }
        CommandResult result = context.runner()
                .run(new Command(argv, Map.of("SLURM_TIME_FORMAT", "%s"), null, "", PATIENCE, MAX_BYTES));
        if (result.exitCode() != 0) {
            throw VseException.of(ErrorCode.USAGE, "sacct does not tell")
                    .fact("reason", result.stderr().strip())
                    .next("give what it prints elsewhere with --file");
        }
        return result.stdout();
    }

    private void show(Reconciliation result) throws IOException {
        List<Difference> shown = all ? result.differences() : result.unexplained();
        if (!shown.isEmpty()) {
            context.io()
                    .print(new ReportTable(
                                    List.of("JobID", "Attempt", "User", "Reason", "CoreSeconds", "Detail"),
                                    List.of(false, true, false, false, true, false),
                                    shown.stream().map(ReconcileCommand::cells).toList())
                            .aligned()
                            .stripTrailing());
        }
        int explained = result.differences().size() - result.unexplained().size();
        context.io()
                .print(result.compared() + " attempts compared: " + hours(result.charged()) + " core hours charged, "
                        + hours(result.vms()) + " had by VMs; " + explained + " differences explained, "
                        + result.unexplained().size() + " not; " + result.withoutVm() + " attempts without VMs");
    }

    private static List<String> cells(Difference difference) {
        return List.of(
                difference.job(),
                Integer.toString(difference.attempt()),
                difference.user(),
                difference.reason().name(),
                Long.toString(difference.coreTime().toSeconds()),
                difference.text());
    }

    private static String hours(Duration time) {
        return String.format(java.util.Locale.ROOT, "%.2f", time.toMillis() / 3.6e6);
    }
}
