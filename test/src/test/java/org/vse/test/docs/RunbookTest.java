package org.vse.test.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;

/** The runbook has an entry for every error code, and none for anything else. */
class RunbookTest {
    private static final Pattern HEADING = Pattern.compile("(?m)^### (.*)$");
    private static final List<String> PARTS = List.of("\n*Means:* ", "\n*First:* ", "\n*Fix:* ");

    @Test
    void headingsAndCodesAreTheSameAndInTheSameOrder() throws IOException {
        List<String> headings = HEADING.matcher(runbook())
                .results()
                .map(heading -> heading.group(1))
                .toList();
        List<String> codes = Arrays.stream(ErrorCode.values())
                .map(code -> code.name() + " (" + code.kind().name() + ")")
                .toList();
        assertThat(headings).containsExactlyElementsOf(codes);
    }

    @Test
    void everyEntrySaysWhatItMeansWhatToDoFirstAndWhatEndsIt() throws IOException {
        for (String entry : runbook().split("(?m)^### ")) {
            if (entry.startsWith("# ")) {
                continue;
            }
            String code = entry.lines().findFirst().orElseThrow();
            int from = 0;
            for (String part : PARTS) {
                int at = entry.indexOf(part, from);
                assertThat(at).as("'%s' of %s", part.strip(), code).isPositive();
                from = at + part.length();
            }
        }
    }

    private static String runbook() throws IOException {
        Path directory = Path.of("").toAbsolutePath();
        while (!Files.exists(directory.resolve("docs/runbook.md"))) {
            directory = directory.getParent();
            assertThat(directory)
                    .as("a directory above that has docs/runbook.md")
                    .isNotNull();
        }
        return Files.readString(directory.resolve("docs/runbook.md"));
    }
}
