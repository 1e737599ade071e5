package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Prometheus;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What an admin sees of a job from outside: its numbers in a real Prometheus, and its lines in the log. */
@Tag("system")
class ObservedSystemTest {
    private static final String SECRET = "hunter2-of-alice";
    private static final List<String> STEPS =
            List.of("group", "stage", "share", "connect", "parts", "create", "ready", "run");

    private static Site site;

    @BeforeAll
    static void open() throws IOException {
        site = Site.prepare("node: n1\nmetrics-listen: 127.0.0.1:0\nlog-format: json\n");
        Path config = site.state().resolveSibling("etc");
        Path program = Files.createDirectory(config.resolve("plug-ins")).resolve("licence");
        Files.writeString(
                program, "#!/bin/sh\nread job\necho '{\"environment\": {\"LICENCE\": \"" + SECRET + "-plug-in\"}}'\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(config.resolve("policy.yaml"), """
                queues:
                  local:
                    images: { allow: ["debian-12"] }
                    plug-ins: { allow: [licence] }
                    boot: { allow: ["secret=%s-policy"] }
                """.formatted(SECRET));
        site.root().vse("up").expect(0);
        Desk home = site.desk(site.alice()).with("TOKEN", SECRET);
        home.script("job.sh", """
                #!/bin/sh
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 memory=192MiB share=none plug-ins=licence:%1$s
                echo "$TOKEN $LICENCE $1"
                """.formatted(SECRET));
        assertThat(home.vse("run", "--quiet", "job.sh", SECRET + "-argument")
                        .expect(0)
                        .out())
                .isEqualTo(SECRET + " " + SECRET + "-plug-in " + SECRET + "-argument\n");
        site.awaitIdle();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static String metricsAddress() {
        Matcher at = Pattern.compile("\"metrics\":\"(127\\.0\\.0\\.1:[1-9][0-9]*)\"")
                .matcher(site.root().raw("GET", "/v1/health", "").out());
        assertThat(at.find()).isTrue();
        return at.group(1);
    }

    @Test
    void prometheusHasTheNumbersOfTheJobAndAnswersTheDashboard() throws IOException {
        try (Prometheus prometheus = Prometheus.of(site, metricsAddress())) {
            prometheus.awaitNumber("up{job=\"vse\"}", 1);
            prometheus.awaitNumber("vse_jobs_settled_total{node=\"n1\",exit=\"zero\"}", 1);
            for (String step : STEPS) {
                for (String result : List.of("done", "undone")) {
                    assertThat(prometheus.number(
                                    "vse_step_duration_seconds_count{step=\"" + step + "\",result=\"" + result + "\"}"))
                            .as(step + " " + result)
                            .hasValue(1);
                }
            }
            assertThat(prometheus.number("vse_step_duration_seconds_sum{step=\"ready\",result=\"done\"} > 0.1 < 120"))
                    .isPresent();
            assertThat(prometheus.number("sum(vse_vm_starts_total)")).hasValue(1);
            assertThat(prometheus.number("vse_vm_ends_total{why=\"finished\"}")).hasValue(1);
            assertThat(prometheus.number("vse_image_cache_total{result=\"hit\"}"))
                    .hasValue(1);
            assertThat(prometheus.number("vse_cores_leased")).hasValue(0);
            assertThat(prometheus.number("vse_vms")).hasValue(0);
            assertThat(prometheus.number("vse_memory_bytes > 1048576")).isPresent();
            for (String expression : new ObjectMapper()
                    .readTree(Files.readString(Path.of("../docs/grafana/vse.json")))
                    .findValuesAsText("expr")) {
                assertThat(prometheus
                                .ask(expression.replace("$node", ".*").replace("$__rate_interval", "1m"))
                                .path("resultType")
                                .asText())
                        .as(expression)
                        .isEqualTo("vector");
            }
        }
        assertThat(site.desk(site.bob()).raw("GET", "/metrics", "").out())
                .startsWith("HTTP/1.1 200")
                .contains("# TYPE vse_");
    }

    @Test
    void everyLineOfTheLogIsAnObjectAndNoneHasASecret() throws IOException {
        List<String> lines = Files.readAllLines(site.state().resolve("vsed.out"));
        ObjectMapper json = new ObjectMapper();
        int ofTheJob = 0;
        for (String line : lines) {
            JsonNode object = json.readTree(line);
            assertThat(object.path("node").asText()).as(line).isEqualTo("n1");
            ofTheJob += object.path("job").asText().equals("local-1")
                            && object.path("attempt").asText().equals("1")
                    ? 1
                    : 0;
        }
        // Admitted, opened, closed, settled, and two for each step.
        assertThat(ofTheJob).isGreaterThanOrEqualTo(4 + 2 * STEPS.size());
        byte[] key = Files.readAllBytes(site.state().resolve("checkpoint.key"));
        assertThat(String.join("\n", lines))
                .contains("step ready done", "settled: exit code 0")
                .doesNotContain(
                        SECRET,
                        Base64.getEncoder().encodeToString(key),
                        HexFormat.of().formatHex(key))
                .doesNotContain(new String(key, java.nio.charset.StandardCharsets.ISO_8859_1).strip());
    }

    @Test
    void topIsOnePlainLookForAPipeAndLooksAgainOnATerminal() {
        Desk home = site.desk(site.alice());
        String head = "n1: ";
        assertThat(home.vse("top").expect(0).out())
                .startsWith(head)
                .contains(" cores free, ", " 0 jobs")
                .hasLineCount(1)
                .doesNotContain("\u001b");
        Started top =
                home.program("script", "-qefc", String.join(" ", home.words("top", "--interval", "1")), "/dev/null");
        await().atMost(Duration.ofSeconds(60)).until(() -> top.out().split("\u001b\\[2J" + head, -1).length > 2);
        top.signal(15);
        assertThat(top.finish().out()).contains("\u001b[H\u001b[2J" + head);
    }
}
