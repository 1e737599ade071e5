package org.vse.job.daemon;

import com.fasterxml.jackson.databind.util.RawValue;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.step.Node;
import org.vse.ledger.EventBatch;
import org.vse.ledger.Grouping;
import org.vse.ledger.LedgerArchive;
import org.vse.ledger.OutcomeJson;
import org.vse.ledger.Report;
import org.vse.ledger.ReportFormat;
import org.vse.ledger.Usage;
import org.vse.ledger.UsageReport;
import org.vse.ledger.VmInterval;
import org.vse.ledger.VmIntervalQuery;
import org.vse.ledger.VmReport;

/** The calls about the ledger: users see what is theirs; only root sees all, and copies or removes. */
final class LedgerCalls {
    private static final int MOST = 50_000;

    private final Node node;
    private final HostUsers users;
    private final ToIntFunction<Instant> prune;

    LedgerCalls(Node node, HostUsers users, ToIntFunction<Instant> prune) {
        this.prune = prune;
        this.node = node;
        this.users = users;
    }

    /** Answers {@code GET report/…}. */
    void report(Call call) throws IOException {
        String what = call.path().size() == 3 ? call.path().get(2) : "";
        if (what.equals("outcomes")) {
            requireAdmin(call, "may see how the jobs of all users came out");
            call.reply()
                    .json(
                            200,
                            OutcomeJson.write(node.ledger()
                                    .outcomes(
                                            instant(call.query().get("since")),
                                            instant(call.query().get("until")))));
            return;
        }
        Optional<Grouping> grouping = Arrays.stream(Grouping.values())
                .filter(each -> each.word().equals(what))
                .findFirst();
        if (grouping.isEmpty() && !what.equals("vms")) {
            throw call.unknown();
        }
        VmIntervalQuery wanted = query(call);
        Report report = grouping.isPresent() ? usage(grouping.get(), wanted) : vms(wanted);
        String format = call.query().get("format");
        if (format == null) {
            call.reply().json(200, new RawValue(report.render(ReportFormat.JSON, ZoneOffset.UTC)));
            return;
        }
        String text = report.render(format(format), zone(call.query().getOrDefault("zone", "UTC")));
        call.reply().json(200, Map.of("empty", report.isEmpty(), "more", report.more(), "text", text));
    }

    private static ReportFormat format(String word) {
        return Arrays.stream(ReportFormat.values())
                .filter(format -> format.word().equals(word))
                .findFirst()
                .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "no report is written as '" + word + "'")
                        .fact("allowed", Arrays.toString(ReportFormat.values())));
    }

    private static ZoneId zone(String id) {
        try {
            return ZoneId.of(id);
        } catch (DateTimeException e) {
            throw VseException.of(ErrorCode.USAGE, "there is no time zone '" + id + "'")
                    .because(e);
        }
    }

    private VmReport vms(VmIntervalQuery wanted) {
        List<VmInterval> found = node.ledger().intervals(wanted.newest(wanted.limit() + 1));
        boolean more = found.size() > wanted.limit();
        return new VmReport(
                more ? found.subList(1, found.size()) : found,
                node.ledger().marks(wanted),
                more,
                wanted.since(),
                wanted.until(),
                node.clock().instant());
    }

    private UsageReport usage(Grouping grouping, VmIntervalQuery wanted) {
        Instant now = node.clock().instant();
        List<Usage> found = node.ledger().usage(grouping, wanted.newest(wanted.limit() + 1), now);
        boolean more = found.size() > wanted.limit();
        if (more) {
            found.remove(Collections.min(found, Comparator.comparing(Usage::first)));
        }
        return new UsageReport(grouping, found, more, wanted.since(), wanted.until(), now);
    }

    private VmIntervalQuery query(Call call) {
        Map<String, String> query = call.query();
        String user = query.get("user");
        if (!call.peer().isAdmin()) {
            String own = users.find(Integer.toString(call.peer().uid())).name();
            if (user != null && !user.equals(own)) {
                throw VseException.of(ErrorCode.NOT_PERMITTED, "only root may see the machines of other users")
                        .next("leave --user out");
            }
            user = own;
        }
        return VmIntervalQuery.all()
                .between(instant(query.get("since")), instant(query.get("until")))
                .ofUser(user)
                .inQueue(query.get("queue"))
                .ofAccount(query.get("account"))
                .onNode(query.get("node"))
                .ofImage(query.get("image"))
                .ofJob(query.get("job"))
                .newest((int) Math.max(1, Math.min(MOST, call.number("limit", MOST))));
    }

    /** Answers {@code GET ledger}, {@code POST ledger/events} and {@code POST ledger/prune}. */
    void ledger(Call call) throws IOException {
        requireAdmin(call, "may copy the ledger or remove from it");
        switch (call.method() + " " + (call.path().size() == 3 ? call.path().get(2) : "")) {
            case "GET " -> export(call);
            case "POST events" ->
                call.reply()
                        .json(
                                200,
                                Map.of(
                                        "added",
                                        node.ledger()
                                                .add(EventBatch.read(call.body().path("events")))));
            case "POST prune" -> {
                Instant before = Call.instant(call.text("before"));
                call.reply().json(200, Map.of("vms", prune.applyAsInt(before)));
            }
            default -> throw call.unknown();
        }
    }

    private void export(Call call) throws IOException {
        try (Reply.Body body = call.reply().stream("application/x-ndjson")) {
            OutputStream to = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    body.write(ByteBuffer.wrap(bytes, offset, length));
                }
            };
            LedgerArchive.write(node.ledger(), to);
        }
    }

    private static void requireAdmin(Call call, String what) {
        if (!call.peer().isAdmin()) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "only root " + what);
        }
    }

    private static @Nullable Instant instant(@Nullable String text) {
        return text == null ? null : Call.instant(text);
    }
}
