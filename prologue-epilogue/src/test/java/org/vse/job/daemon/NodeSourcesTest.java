package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.CommandRunner;
import org.vse.scheduler.Source;
import org.vse.scheduler.SpooledText;

class NodeSourcesTest {
    @TempDir
    Path dir;

    private final NodeSources sources = new NodeSources(new CommandRunner());

    private static byte[] noise(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + i / 251);
        }
        return bytes;
    }

    @Test
    void everyByteOfALargeScriptArrives() throws IOException {
        byte[] bytes = noise(NodeSources.MAX_BYTES);
        Path file = Files.write(dir.resolve("script"), bytes);
        assertThat(SpooledText.encode(sources.apply(new Source.File(file.toString()))))
                .isEqualTo(bytes);
        assertThat(SpooledText.encode(sources.apply(new Source.Answer(List.of("cat", file.toString()), Map.of()))))
                .isEqualTo(bytes);
    }

    @Test
    void aScriptThatIsTooLargeIsItsAuthorsMistake() throws IOException {
        Path file = Files.write(dir.resolve("script"), noise(NodeSources.MAX_BYTES + 1));
        for (Source source : List.of(
                new Source.File(file.toString()), new Source.Answer(List.of("cat", file.toString()), Map.of()))) {
            VseException refused = catchThrowableOfType(VseException.class, () -> sources.apply(source));
            assertThat(refused.code()).isEqualTo(ErrorCode.USAGE);
            assertThat(refused.what()).contains("larger than 8 MiB");
        }
    }
}
