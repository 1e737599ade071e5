package org.vse.test.site;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** A Prometheus of the tests' own, which asks one target each second; everything of it is in one directory. */
public final class Prometheus implements AutoCloseable {
    private static final Pattern LISTENS = Pattern.compile("msg=\"Listening on\" address=(127\\.0\\.0\\.1:[0-9]+)");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final HttpClient client = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final Process process;
    private final Path log;

    private Prometheus(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /**
     * Starts it in the foreground.
     *
     * @param target host and port
     */
    public static Prometheus of(Site site, String target) throws IOException {
        Path directory = Files.createTempDirectory(site.scratch(), "prometheus");
        Path config = Files.writeString(directory.resolve("prometheus.yml"), """
                global: { scrape_interval: 1s, scrape_timeout: 1s }
                scrape_configs:
                  - job_name: vse
                    static_configs: [ { targets: [ "%s" ] } ]
                """.formatted(target));
        Path log = directory.resolve("log");
        Process process = new CommandRunner()
                .start(
                        Command.of(
                                "prometheus",
                                "--config.file=" + config,
                                "--storage.tsdb.path=" + directory.resolve("data"),
                                "--web.listen-address=127.0.0.1:0"),
                        log);
        return new Prometheus(process, log);
    }

    /** The one number that an expression has now; empty when it has none. */
    public OptionalDouble number(String expression) {
        JsonNode result = ask(expression).path("result");
        return result.size() == 1
                ? OptionalDouble.of(result.path(0).path("value").path(1).asDouble())
                : OptionalDouble.empty();
    }

    /** Returns once an expression has that number. */
    public void awaitNumber(String expression, double number) {
        await(expression)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> number(expression).equals(OptionalDouble.of(number)));
    }

    /** The answer to an expression; fails when it is none. */
    public JsonNode ask(String expression) {
        try {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://" + address() + "/api/v1/query?query="
                                    + URLEncoder.encode(expression, StandardCharsets.UTF_8)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new AssertionError(expression + ": " + answer.body());
            }
            return json.readTree(answer.body()).path("data");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private String address() {
        await("Prometheus listens").atMost(PATIENCE).until(() -> listens().find() || !process.isAlive());
        Matcher listens = listens();
        if (!listens.find()) {
            throw new AssertionError("Prometheus ended: " + Finished.text(log));
        }
        return listens.group(1);
    }

    private Matcher listens() {
        return LISTENS.matcher(Finished.text(log));
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("Prometheus did not end: " + Finished.text(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
