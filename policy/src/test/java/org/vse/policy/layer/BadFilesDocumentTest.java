package org.vse.policy.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;
import org.vse.policy.Examples;
import org.vse.policy.JobScript;
import org.vse.policy.ScriptText;

/** Holds the table of bad files in docs/policy.md against what such files really get, both ways. */
class BadFilesDocumentTest {
    private static final String HEADING = "## Bad files and what they get";
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
    private static final String Q = "queues:\n  q:\n    ";

    /** Files of the kind that a row speaks of, by its first cell; what the row quotes is said by one of them at least. */
    private static Map<String, List<Supplier<VseException>>> files() {
        Map<String, List<Supplier<VseException>>> files = new LinkedHashMap<>();
        files.put("an unknown key, `imges:`", List.of(policy(Q + "imges: {}")));
        files.put("`memory: 2G`", List.of(policy(Q + "defaults: { memory: 2G }"), description("memory: 2G")));
        files.put(
                "a list where a value belongs, or the other way round",
                List.of(
                        policy(Q + "defaults: { memory: [1GiB] }"),
                        description("memory: [1GiB]"),
                        policy(Q + "images: { allow: debian }")));
        files.put(
                "a queue that extends itself, by any way",
                List.of(
                        policy("queues: { q: { extends: q } }"),
                        policy("queues: { q: { extends: r }, r: { extends: q } }")));
        files.put(
                "a parent that is not there",
                List.of(policy(Q + "extends: r"), description("extends: /home/alice/r.yaml")));
        files.put(
                "a queue that changes what `all` reserves",
                List.of(policy("all: { enforce: { share: none } }\nqueues: { q: { defaults: { share: nfs } } }")));
        files.put(
                "a key twice, also when the values are alike",
                List.of(policy("a: 1\na: 1"), description("a: 1\na: 1")));
        files.put(
                "anchors and aliases, so also a bomb of them",
                List.of(policy("a: &a [x, x]\nb: &b [*a, *a]"), description("a: &a [x, x]\nb: [*a, *a]")));
        files.put(
                "tags such as `!!python/object`", List.of(policy("a: !!python/object x"), description("a: !!set {}")));
        files.put(
                "nested deeper than 16", List.of(policy("a: " + "[".repeat(17)), description("a: " + "[".repeat(17))));
        files.put(
                "larger than 1 MiB (a description: 64 KiB), say 10 MB",
                List.of(
                        policy("x".repeat((1 << 20) + 1)),
                        policy("x".repeat(10_000_000)),
                        description("x".repeat((1 << 16) + 1)),
                        description("x".repeat(10_000_000))));
        files.put("several documents", List.of(policy("--- {}\n--- {}"), description("--- {}\n--- {}")));
        files.put(
                "not YAML, not UTF-8",
                List.of(
                        policy("queues: [1"),
                        description("memory: [1"),
                        () -> refusal(() ->
                                ScriptText.utf8("/etc/vse/policy.yaml", new byte[] {'a', ':', ' ', (byte) 0xff}))));
        return files;
    }

    private static Supplier<VseException> policy(String text) {
        return () -> refusal(() -> Policy.site("/etc/vse/policy.yaml", text));
    }

    private static Supplier<VseException> description(String text) {
        return () -> refusal(() -> DescriptionFiles.layers(
                JobScript.parse("/home/alice/job.sh", "#VSE vse=a.yaml\n"), Path.of("/home/alice"), file -> {
                    if (file.endsWith("a.yaml")) {
                        return text;
                    }
                    throw DescriptionFiles.missing(file);
                }));
    }

    private static VseException refusal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(VseException.class, call);
    }

    private static Map<String, String> rows() {
        String document = Examples.read("docs/policy.md");
        String section = document.substring(document.indexOf(HEADING));
        return section.lines()
                .filter(line -> line.startsWith("| "))
                .skip(1)
                .map(line -> line.split(" \\| |^\\| | \\|$"))
                .collect(Collectors.toMap(
                        cells -> cells[1],
                        cells -> cells[2],
                        (one, other) -> {
                            throw new AssertionError("a row twice: " + one);
                        },
                        LinkedHashMap::new));
    }

    /** A quotation with … stands for any text there. */
    private static Pattern quotation(String text) {
        return Pattern.compile(
                Arrays.stream(text.split("…", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }

    @Test
    void everyRowHasItsFilesAndEveryFileItsRow() {
        assertThat(files().keySet()).containsExactlyElementsOf(rows().keySet());
    }

    @Test
    void everyFileIsRefusedAtAPlaceAndGetsWhatItsRowSays() {
        Map<String, String> rows = rows();
        files().forEach((row, bad) -> {
            List<VseException> refusals = bad.stream().map(Supplier::get).toList();
            assertThat(refusals).as(row).doesNotContainNull();
            for (VseException refusal : refusals) {
                assertThat(refusal.where()).as(refusal.render()).matches("/.*[.](yaml|sh)(:[0-9]+:[0-9]+)?");
            }
            List<String> quoted = QUOTED.matcher(rows.getOrDefault(row, ""))
                    .results()
                    .map(found -> found.group(1))
                    .toList();
            for (String text : quoted) {
                assertThat(refusals)
                        .as("%s: %s", row, text)
                        .anyMatch(refusal ->
                                quotation(text).matcher(refusal.render()).find());
            }
            if (quoted.size() == 1) {
                Matcher none = quotation(quoted.get(0)).matcher("");
                assertThat(refusals)
                        .as(row)
                        .allMatch(refusal -> none.reset(refusal.render()).find());
            }
        });
    }

    @Test
    void whatIsNotUtf8IsRefusedAsSuch() {
        byte[] latin = "memory: 1GiB # f\u00fcr".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(refusal(() -> ScriptText.utf8("/home/alice/a.yaml", latin)).where())
                .startsWith("/home/alice/a.yaml");
    }
}
