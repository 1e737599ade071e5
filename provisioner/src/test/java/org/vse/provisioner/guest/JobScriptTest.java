package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class JobScriptTest {
    private static JobScript script(String text) {
        return new JobScript("/home/a/job.sh", text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void theInterpreterIsWhatTheKernelTakes() {
        assertThat(script("#!/bin/bash\necho").interpreter()).contains("/bin/bash");
        assertThat(script("#! \t/usr/bin/env python3\n").interpreter()).contains("/usr/bin/env");
        assertThat(script("#!/bin/sh\t-x").interpreter()).contains("/bin/sh");
        assertThat(script("#!/bin/sh\r\n").interpreter()).contains("/bin/sh\r");
        assertThat(script("#!/" + "x".repeat(400)).interpreter()).contains("/" + "x".repeat(253));
        for (String none : List.of("", "#", "#!", "#!\n/bin/sh", "#! \n", "echo", " #!/bin/sh", "\n#!/bin/sh")) {
            assertThat(script(none).interpreter()).isEmpty();
        }
    }

    @Test
    void theNameIsTheUsersAsFarAsItCan() {
        byte[] none = new byte[0];
        assertThat(new JobScript("/home/a b/my job.sh", none).name()).isEqualTo("my job.sh");
        assertThat(new JobScript("x=1\n.sh", none).name()).isEqualTo("x_1_.sh");
        for (String odd : List.of("", "/", "/a/..", ".")) {
            assertThat(new JobScript(odd, none).name()).isEqualTo("script");
        }
        assertThat(new JobScript("ü".repeat(300), none).name()).isEqualTo("ü".repeat(127));
    }

    @Test
    void theSizeIsLimited() {
        assertThat(new JobScript("j", new byte[JobScript.MAX_BYTES]).text()).hasSize(JobScript.MAX_BYTES);
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> new JobScript("j", new byte[JobScript.MAX_BYTES + 1]))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE));
    }

    private static ScriptLaunch launch(List<String> arguments, Map<String, String> environment) {
        return new ScriptLaunch(
                Optional.of(script("")),
                arguments,
                environment,
                "/",
                1000,
                List.of(100),
                022,
                "/bin/sh",
                Optional.empty());
    }

    @Test
    void whatNoProgramCanBeGivenIsRefused() {
        assertThat(launch(List.of("a\nb"), Map.of("A", "x\ny")).gid()).isEqualTo(100);
        assertThatIllegalArgumentException().isThrownBy(() -> launch(List.of("a\0"), Map.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> launch(List.of(), Map.of("", "x")));
        assertThatIllegalArgumentException().isThrownBy(() -> launch(List.of(), Map.of("A=", "x")));
        assertThatIllegalArgumentException().isThrownBy(() -> launch(List.of(), Map.of("A", "\0")));
        String large = "x".repeat(ScriptLaunch.MAX_STRING_BYTES);
        assertThat(launch(List.of(large), Map.of()).arguments()).containsExactly(large);
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> launch(List.of(large + "x"), Map.of()))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE));
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(
                        () -> launch(List.of(large, large, large, large, large, large, large, large, large), Map.of()))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE));
    }

    @Test
    void aLaunchNeedsAScriptOrATerminal() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ScriptLaunch(
                        Optional.empty(), List.of(), Map.of(), "/", 1, List.of(1), 0, "/bin/sh", Optional.empty()));
    }
}
