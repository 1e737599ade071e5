package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** {@code docs/directives.md} says what the code does. */
class DirectivesDocumentTest {
    private static final String DOCUMENT = read();

    private static String read() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isRegularFile(folder.resolve("docs/directives.md"))) {
            Path parent = folder.getParent();
            if (parent == null) {
                throw new AssertionError(
                        "no docs/directives.md in or above " + Path.of("").toAbsolutePath());
            }
            folder = parent;
        }
        try {
            return Files.readString(folder.resolve("docs/directives.md"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> blocks(String language) {
        return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                .matcher(DOCUMENT)
                .results()
                .map(r -> r.group(1))
                .toList();
    }

    private static List<String> row(String first) {
        return DOCUMENT.lines()
                .filter(l -> l.startsWith("| `" + first + "` |"))
                .map(l -> Arrays.stream(l.split("\\|")).map(String::strip).toList())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no row for '" + first + "'"));
    }

    @ParameterizedTest
    @EnumSource(DirectiveKey.class)
    void everyKeyHasARowWithItsRangeItsDefaultAndAnExampleThatIsAccepted(DirectiveKey key) {
        List<String> row = row(key.word());
        assertThat(row.get(3)).isEqualTo(key.range());
        assertThat(row.get(4)).isEqualTo(key.standard());
        String example = row.get(5).replace("`", "");
        assertThat(example).startsWith(key.word() + "=");
        assertThat(JobScript.parse("doc", "#VSE " + example).settings().get(key))
                .isPresent();
    }

    @Test
    void theDocumentHasNoKeyThatIsNotOne() {
        String keys = DOCUMENT.substring(DOCUMENT.indexOf("## Keys"), DOCUMENT.indexOf("Sizes are"));
        assertThat(keys.lines().filter(l -> l.startsWith("| `"))).hasSameSizeAs(DirectiveKey.values());
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void everyDirectiveErrorHasARow(ErrorCode code) {
        if (code.name().startsWith("DIRECTIVE_")) {
            assertThat(row(code.name()).get(2)).isNotEmpty();
        }
    }

    @Test
    void theFirstExampleIsAJobAndTheSecondGivesTheErrorThatIsShown() {
        List<String> scripts = blocks("sh");
        assertThat(JobScript.parse("job.sh", scripts.get(0)).description().memoryBytes())
                .isEqualTo(2 * ByteSize.GIB);
        VseException error = catchThrowableOfType(VseException.class, () -> JobScript.parse("job.sh", scripts.get(1)));
        assertThat(error.render()).isEqualTo(blocks("console").get(0).strip());
    }
}
