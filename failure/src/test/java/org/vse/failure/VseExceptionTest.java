package org.vse.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class VseExceptionTest {
    @Test
    void aBareErrorIsOneLine() {
        assertThat(VseException.of(ErrorCode.IMAGE_UNKNOWN, "there is no image 'x'")
                        .render())
                .isEqualTo("vse: there is no image 'x' [IMAGE_UNKNOWN]");
    }

    @Test
    void placeFactsAndNextActionAreAligned() {
        var error = VseException.of(ErrorCode.DIRECTIVE_BAD_VALUE, "'2GB' is not a size")
                .at("job.sh:3:14")
                .next("write memory=2GiB")
                .fact("key", "memory")
                .fact("allowed", "a number and MiB, GiB");
        assertThat(error.render()).isEqualTo("""
                        vse: job.sh:3:14: '2GB' is not a size [DIRECTIVE_BAD_VALUE]
                          key    : memory
                          allowed: a number and MiB, GiB
                          next   : write memory=2GiB""");
    }

    @Test
    void furtherLinesOfAFactAreIndented() {
        var error = VseException.of(ErrorCode.COMMAND_FAILED, "ip failed")
                .fact("said", "\none\r\ntwo\n\n  three\n")
                .fact("n", 1);
        assertThat(error.render()).isEqualTo("""
                        vse: ip failed [COMMAND_FAILED]
                          said: one
                                two

                                  three
                          n   : 1""");
    }

    @Test
    void foreignTextMovesNoCursor() {
        var error = VseException.of(ErrorCode.IMAGE_UNKNOWN, "no image 'a\u001b[2J\nvse: fine\u202e'")
                .at("job\r.sh:1")
                .fact("k\n", "\ttab \u0007 bell\u009b31m")
                .next("ls\u0000");
        assertThat(error.render().split("\n"))
                .containsExactly(
                        "vse: job\\u000d.sh:1: no image 'a\\u001b[2J\\u000avse: fine\\u202e' [IMAGE_UNKNOWN]",
                        "  k\\u000a: tab \\u0007 bell\\u009b31m",
                        "  next   : ls\\u0000");
    }

    @Test
    void theMessageIsTheRenderingAndTheCauseStays() {
        var cause = new IOException("disk on fire");
        var error = VseException.of(ErrorCode.STORAGE_FAILED, "cannot write 'x'")
                .because(cause)
                .at("/x");
        assertThat(error)
                .hasMessage("vse: /x: cannot write 'x' [STORAGE_FAILED]")
                .hasCause(cause);
        assertThat(error.kind()).isEqualTo(Kind.SITE);
    }

    @Test
    void factsKeepTheirOrderAndCannotBeChangedFromOutside() {
        var error = VseException.of(ErrorCode.INTERNAL, "x");
        for (String name : new String[] {"z", "a", "m", "b", "y", "c"}) {
            error.fact(name, name);
        }
        assertThat(error.facts().keySet()).containsExactly("z", "a", "m", "b", "y", "c");
        assertThatThrownBy(() -> error.facts().put("q", "q")).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void aFullDiskIsToldFromABrokenOne() {
        var full = VseException.storage(
                "cannot write 'x'", Path.of("/some/file"), new IOException("/some/file: No space left on device"));
        assertThat(full.code()).isEqualTo(ErrorCode.DISK_FULL);
        assertThat(full.where()).isEqualTo("/some/file");
        assertThat(full.next()).contains("df /some");
        assertThat(VseException.storage("x", Path.of("/x"), new IOException("Disk quota exceeded"))
                        .code())
                .isEqualTo(ErrorCode.DISK_FULL);
        var broken = VseException.storage("x", Path.of("/x"), new IOException((String) null));
        assertThat(broken.code()).isEqualTo(ErrorCode.STORAGE_FAILED);
        assertThat(broken.facts()).containsEntry("reason", "null");
    }

    @Test
    void aSecondCauseIsKeptAsSuppressed() {
        var first = new IOException("first");
        var second = new IOException("second");
        var error = VseException.of(ErrorCode.INTERNAL, "x").because(first).because(second);
        assertThat(error).hasCause(first);
        assertThat(error.getSuppressed()).containsExactly(second);
    }
}
