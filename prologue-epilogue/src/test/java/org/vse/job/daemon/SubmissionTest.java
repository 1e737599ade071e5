package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class SubmissionTest {
    private static Submission read(JsonNode body) {
        return Submission.of(body, Vsed.json());
    }

    @Test
    void theLeastSubmissionIsAScriptAndADirectory() throws IOException {
        Submission submission =
                read(Vsed.json().readTree("{\"script\":{\"name\":\"/a.sh\",\"text\":\"\"},\"cwd\":\"/a\"}"));
        assertThat(submission.args()).isEmpty();
        assertThat(submission.environment()).isEmpty();
        assertThat(submission.interactive()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "[]",
                "\"x\"",
                "1",
                "{}",
                "{\"cwd\":\"/a\"}",
                "{\"script\":null,\"cwd\":\"/a\"}",
                "{\"script\":{\"name\":\"\",\"text\":\"\"},\"cwd\":\"/a\"}",
                "{\"script\":{\"name\":\"a\\u0000b\",\"text\":\"\"},\"cwd\":\"/a\"}",
                "{\"script\":{\"name\":\"a\"},\"cwd\":\"/a\"}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"a\"}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\\u0000\"}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"uid\":0}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"image\":\"i\"}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"args\":[null]}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"args\":[\"\\u0000\"]}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"args\":{}}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"environment\":{\"A\":null}}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"environment\":{\"\":\"x\"}}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"environment\":{\"A=B\":\"x\"}}",
                "{\"script\":{\"name\":\"a\",\"text\":\"\"},\"cwd\":\"/a\",\"environment\":{\"A\":\"\\u0000\"}}",
                "{\"interactive\":true,\"cwd\":\"/a\"}",
                "{\"interactive\":true,\"image\":\"i\",\"cwd\":\"/a\",\"script\":{\"name\":\"a\",\"text\":\"\"}}",
                "{\"interactive\":true,\"image\":\"i\",\"cwd\":\"/a\",\"terminal\":{\"rows\":0,\"columns\":1,\"type\":\"x\"}}",
                "{\"interactive\":true,\"image\":\"i\",\"cwd\":\"/a\",\"terminal\":{\"rows\":1,\"columns\":1}}"
            })
    void whatIsNoSubmissionIsTheCallersError(String body) throws IOException {
        JsonNode tree = Vsed.json().readTree(body);
        VseException failure = catchThrowableOfType(VseException.class, () -> read(tree));
        assertThat(failure).as(body).isNotNull();
        assertThat(failure.code()).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aMissingBodyIsTheCallersError() {
        VseException failure = catchThrowableOfType(VseException.class, () -> read(MissingNode.getInstance()));
        assertThat(failure.code()).isEqualTo(ErrorCode.USAGE);
    }
}
