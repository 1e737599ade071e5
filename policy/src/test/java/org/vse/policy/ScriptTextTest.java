package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class ScriptTextTest {
    @Test
    void utf8IsText() {
        String text = "#!/bin/sh\n# Größe 😀\necho \u001b[0m\n";
        assertThat(ScriptText.decode("job.sh", text.getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(text);
        assertThat(ScriptText.decode("job.sh", new byte[0])).isEmpty();
        assertThat(ScriptText.decode("job.sh", "MZ=1".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("MZ=1");
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                arguments("\u007fELF\u0002\u0001\0\0", "job.sh:1:1", "the file is a program"),
                arguments("MZ\u0090\0\u0003", "job.sh:1:1", "the file is a program"),
                arguments("\u00ff\u00fe#\0!\0", "job.sh:1:1", "UTF-16"),
                arguments("\u00fe\u00ff\0#\0!", "job.sh:1:1", "UTF-16"),
                arguments("#!/bin/sh\n# Gr\u00f6\u00dfe\n", "job.sh:2:5", "is not UTF-8"),
                arguments("#!/bin/sh\n# cut \u00c3", "job.sh:2:7", "is not UTF-8"),
                arguments("#!/bin/sh\necho \0\n", "job.sh:2:6", "NUL"),
                arguments("\0", "job.sh:1:1", "NUL"),
                arguments("x".repeat(ScriptText.MAX_BYTES + 1), "job.sh:1:1", "too large"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void bytesThatAreNoScriptAreRefused(String latin1, String where, String what) {
        VseException error = catchThrowableOfType(
                VseException.class, () -> ScriptText.decode("job.sh", latin1.getBytes(StandardCharsets.ISO_8859_1)));
        assertThat(error.code()).isEqualTo(ErrorCode.SCRIPT_UNREADABLE);
        assertThat(error.where()).isEqualTo(where);
        assertThat(error.what()).contains(what);
        assertThat(error.next()).isNotBlank();
    }
}
