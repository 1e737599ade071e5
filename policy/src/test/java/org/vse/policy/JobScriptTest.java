package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

class JobScriptTest {
    @Test
    void everyKeyArrivesWithThePlaceWhereItsValueStands() {
        JobDescription job = JobScript.parse("job.sh", """
                        #!/bin/bash
                        #PBS -N blast

                        #VSE disk=20GiB\timage=debian-12:mpi
                        # a comment
                        #SBATCH --nodes=2
                        #VSE vcpus=2   memory=2GiB
                        #$ -cwd
                        #VSE vms-per-node=3 share=none network=job
                        #VSE oversubscribe=yes
                        ./run
                        """).description();
        assertThat(job)
                .isEqualTo(new JobDescription(
                        new ImageReference("debian-12", Optional.of("mpi")),
                        OptionalInt.of(2),
                        2L << 30,
                        OptionalLong.of(20L << 30),
                        3,
                        Share.NONE,
                        Network.JOB,
                        true,
                        OptionalInt.empty(),
                        2L << 30,
                        Additions.NONE,
                        Continuation.NONE,
                        Map.of(
                                DirectiveKey.DISK, new SourcePosition("job.sh", 4, 11),
                                DirectiveKey.IMAGE, new SourcePosition("job.sh", 4, 23),
                                DirectiveKey.VCPUS, new SourcePosition("job.sh", 7, 12),
                                DirectiveKey.MEMORY, new SourcePosition("job.sh", 7, 23),
                                DirectiveKey.VMS_PER_NODE, new SourcePosition("job.sh", 9, 19),
                                DirectiveKey.SHARE, new SourcePosition("job.sh", 9, 27),
                                DirectiveKey.NETWORK, new SourcePosition("job.sh", 9, 40),
                                DirectiveKey.OVERSUBSCRIBE, new SourcePosition("job.sh", 10, 20))));
    }

    @Test
    void whatNobodySaysIsTheDefault() {
        JobDescription job = JobScript.parse("job.sh", "#VSE image=a").description();
        assertThat(job.vcpus()).isEmpty();
        assertThat(job.memoryBytes()).isEqualTo(512L << 20);
        assertThat(job.diskBytes()).isEmpty();
        assertThat(job.vmsPerNode()).isEqualTo(1);
        assertThat(job.share()).isEqualTo(Share.NFS);
        assertThat(job.network()).isEqualTo(Network.JOB);
        assertThat(job.oversubscribe()).isFalse();
        assertThat(job.provenance()).containsOnlyKeys(DirectiveKey.IMAGE);
    }

    @Test
    void aUserNetworkSharesBy9p() {
        assertThat(JobScript.parse("job.sh", "#VSE image=a network=user")
                        .description()
                        .share())
                .isEqualTo(Share.P9);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n\n",
                "hostname",
                "#!/bin/sh\necho hello\n",
                "#!/bin/sh\r\n# a Windows script that is not ours\r\necho\r\n",
                "##VSE image=a",
                "# #VSE image=a",
                "#VSEARCH clusters sequences",
                "#VSEfoo=1",
                "# VSE needs an image",
                "#vse is lower case",
                "echo \0 binary",
            })
    void aScriptWithoutOurLinesIsNotOurs(String text) {
        JobScript script = JobScript.parse("job.sh", text);
        assertThat(script.isVse()).isFalse();
        assertThat(script.late()).isEmpty();
        assertThatThrownBy(script::description)
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DIRECTIVE_IMAGE_MISSING));
    }

    @Test
    void theHeaderEndsAtTheFirstCommandAndLaterLinesAreReportedAsLate() {
        JobScript script = JobScript.parse("job.sh", "#!/bin/sh\n  # indented\ncd /\n#VSE image=a\n#VSE nonsense\n");
        assertThat(script.isVse()).isFalse();
        assertThat(script.header()).hasSize(2);
        assertThat(script.late()).containsExactly(new SourcePosition("job.sh", 4, 1));
        assertThatThrownBy(script::description).hasMessageContaining("ignored: job.sh:4:1");
    }

    @Test
    void foreignLinesMayBeOfAnyLengthAndAnyText() {
        String text = "#" + "x".repeat(100_000) + "\n# Größe \u2028 \u0007\n#VSE image=a\n";
        assertThat(JobScript.parse("job.sh", text).description().image()).hasToString("a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"#vse %s", "#VSE%s", "#PBS %s", "#PBS -l '%s", "#%sVSE image", "echo\n#VSE %s"})
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void hostileLinesTakeLinearTime(String form) {
        for (String filler : new String[] {" ", "\t", "'", "\r", ",", "=", "\u00a0"}) {
            String text = String.format(form, filler.repeat(500_000 / filler.getBytes(StandardCharsets.UTF_8).length));
            assertThat(catchThrowable(() -> JobScript.parse("job.sh", text)))
                    .satisfiesAnyOf(
                            e -> assertThat(e).isNull(), e -> assertThat(e).isInstanceOf(VseException.class));
        }
    }

    @Test
    void theLargestScriptIsReadAndOneByteMoreIsRefused() {
        String head = "#VSE image=a\n";
        String text = head + "e".repeat(ScriptText.MAX_BYTES - head.length());
        assertThat(JobScript.parse("job.sh", text).isVse()).isTrue();
        String multibyte = text.substring(1, text.length() - 1) + "ä";
        assertThat(JobScript.parse("job.sh", multibyte).isVse()).isFalse();
        for (String tooLarge : new String[] {text + "e", multibyte + "e"}) {
            assertThatThrownBy(() -> JobScript.parse("job.sh", tooLarge))
                    .isInstanceOfSatisfying(VseException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.SCRIPT_UNREADABLE);
                        assertThat(e.facts()).containsEntry("allowed", "524288 bytes");
                    });
        }
    }
}
