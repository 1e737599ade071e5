package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/** Pages, looked at by a browser without a window. */
@Tag("system")
class HtmlReportTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
    private static final String HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\u202e\u001b[2J&amp;";

    @TempDir
    Path directory;

    private VmReport report(Cluster cluster) {
        try (Ledger ledger = Ledger.open(directory.resolve("ledger-" + UUID.randomUUID()))) {
            ledger.record(cluster.events());
            return new VmReport(
                    ledger.intervals(VmIntervalQuery.all()),
                    ledger.marks(VmIntervalQuery.all()),
                    false,
                    null,
                    null,
                    Cluster.NOON);
        }
    }

    private static LedgerEvent hostile() {
        Instant start = Cluster.NOON.minus(Duration.ofHours(2));
        return new LedgerEvent.VmOpened(
                UUID.nameUUIDFromBytes(new byte[] {1}),
                start,
                new JobKey("hpc1", "slurm", HOSTILE, 1),
                new Submitter(HOSTILE, 1, HOSTILE),
                new Machine(HOSTILE, 0, "node01", List.of(7), 1, 1L << 30, HOSTILE, HOSTILE, "KVM"),
                start);
    }

    @Test
    void theTimelineIsDrawnAndHostileNamesAreText() throws IOException {
        String html = report(new Cluster(1).fill(6, 80).add(hostile())).render(ReportFormat.HTML, BERLIN);
        String dom = dom(html, "small");
        assertThat(dom).contains("<title>VMs on nodes</title>").doesNotContain("<img");
        assertThat(dom).contains("&lt;/script&gt;&lt;img src=x onerror=");
        assertThat(dom)
                .contains("Who was where, when")
                .contains("times of Europe/Berlin")
                .contains("checkpoint");
        assertThat(dom).containsPattern("<dt>running</dt><dd>[1-9]");
        assertThat(dom).containsPattern("<canvas [^>]*role=\"img\"[^>]*aria-label=\"Timeline of VMs");
        assertThat(screenshot(html, "small")).isGreaterThan(20_000);
    }

    /** What a real cluster's jobs were saved and went on. */
    @Test
    void checkpointsAndRestoresAreInThePictureAndInTheTable() throws IOException {
        String dom = dom(Files.readString(Path.of("../docs/examples/report-vms.html")), "real");
        assertThat(dom).contains("</svg>checkpoint</li>").contains("</svg>restored</li>");
        assertThat(dom)
                .containsPattern("CHECKPOINTED, checkpoint [0-9: -]{19}")
                .containsPattern("FINISHED, restored [0-9: -]{19}");
    }

    @Test
    void tenThousandIntervalsAreReadable() throws IOException {
        VmReport many = report(new Cluster(2).fill(24, 10_000));
        assertThat(many.intervals()).hasSizeGreaterThanOrEqualTo(10_000);
        String html = many.render(ReportFormat.HTML, BERLIN);
        long begin = System.nanoTime();
        String dom = dom(html, "many");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(60));
        assertThat(dom).containsPattern("<dt>VMs</dt><dd>10,0[0-9]{2}</dd>").contains("100 of 10,0");
        assertThat(screenshot(html, "many")).isGreaterThan(20_000);
    }

    @Test
    void sumsAreDrawnToo() throws IOException {
        try (Ledger ledger = Ledger.open(directory.resolve("sums"))) {
            ledger.record(new Cluster(1).fill(6, 80).events());
            var usage = ledger.usage(Grouping.USERS, VmIntervalQuery.all(), Cluster.NOON);
            String html = new UsageReport(Grouping.USERS, usage, false, null, null, Cluster.NOON)
                    .render(ReportFormat.HTML, BERLIN);
            String dom = dom(html, "users");
            assertThat(dom).contains("Usage by user").contains("<td>alice</td>").contains("class=\"total\"");
            assertThat(screenshot(html, "users")).isGreaterThan(10_000);
        }
    }

    @Test
    void aPageRefersToNothingOutsideItself() {
        String html = report(new Cluster(1).fill(2, 5)).render(ReportFormat.HTML, BERLIN);
        Matcher reference = Pattern.compile("(?i)(?:src|href|url)\\s*[=(]|@import|\\bfetch\\(|XMLHttpRequest|innerHTML")
                .matcher(html);
        assertThat(reference.results().map(found -> html.substring(found.start(), found.start() + 20)))
                .isEmpty();
        assertThat(html).contains("default-src 'none'").doesNotContain("unsafe-inline");
    }

    private String dom(String html, String name) throws IOException {
        CommandResult result = browser(html, name, "--dump-dom");
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        assertThat(result.stderr()).doesNotContain("Refused to").doesNotContain("Uncaught");
        return result.stdout();
    }

    /** @return size of the picture, bytes; kept where the system property {@code vse.examples} says */
    private long screenshot(String html, String name) throws IOException {
        Path picture = directory.resolve("browser").resolve(name + ".png");
        browser(html, name, "--window-size=1360,1500", "--screenshot=" + picture);
        String keep = System.getProperty("vse.examples");
        if (keep != null) {
            Files.copy(picture, Path.of(keep, name + ".png"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            Files.writeString(Path.of(keep, name + ".html"), html);
        }
        return Files.size(picture);
    }

    /** As nobody when this is root: a browser does not want to be root. */
    private CommandResult browser(String html, String name, String... options) throws IOException {
        Path home = directory.resolve("browser");
        Files.createDirectories(home);
        Path page = home.resolve(name + ".html");
        Files.writeString(page, html);
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        if (root) {
            Files.setAttribute(home, "unix:uid", 65534);
            Files.setPosixFilePermissions(
                    directory, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        List<String> as =
                root ? List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--") : List.of();
        List<String> argv = Stream.of(
                        as,
                        List.of(
                                "chromium",
                                "--headless",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--hide-scrollbars",
                                "--enable-logging=stderr",
                                "--user-data-dir=" + home.resolve("profile"),
                                "--virtual-time-budget=20000"),
                        List.of(options),
                        List.of(page.toUri().toString()))
                .flatMap(List::stream)
                .toList();
        return new CommandRunner()
                .run(new Command(
                        argv,
                        Map.of("PATH", "/usr/bin:/bin", "HOME", home.toString(), "XDG_RUNTIME_DIR", home.toString()),
                        Path.of("/"),
                        "",
                        Duration.ofSeconds(100),
                        64 << 20));
    }
}
