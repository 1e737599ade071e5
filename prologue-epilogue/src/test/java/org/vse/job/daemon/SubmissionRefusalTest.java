package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class SubmissionRefusalTest {
    private final ObjectMapper json = Vsed.json();

    @Test
    void nothingIsRefused() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> Submission.of(MissingNode.getInstance(), json))
                .satisfies(e -> Assertions.assertThat(e.code()).isEqualTo(ErrorCode.USAGE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "[]",
                "\"text\"",
                "{}",
                "{\"cwd\":\"/home/a\"}",
                "{\"cwd\":\"home\",\"interactive\":true,\"image\":\"debian-12\"}",
                "{\"cwd\":\"/home/a\",\"interactive\":true,\"image\":\"debian-12\",\"unknown\":1}",
                "{\"cwd\":\"/home/a\",\"interactive\":true,\"image\":\"debian-12\",\"args\":[null]}",
                "{\"cwd\":\"/home/a\",\"interactive\":true,\"image\":\"debian-12\",\"environment\":{\"A=B\":\"c\"}}",
                "{\"cwd\":\"/home/a\",\"interactive\":true,\"image\":\"debian-12\",\"environment\":{\"A\":null}}"
            })
    void whatIsNoSubmissionIsRefused(String text) throws IOException {
        var body = json.readTree(text);
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> Submission.of(body, json))
                .satisfies(e -> Assertions.assertThat(e.code()).isEqualTo(ErrorCode.USAGE));
    }
}
