package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class ManifestTest {
    private static final String HASH = "ab".repeat(32);

    private static Manifest manifest(String label, String commandLine) {
        return new Manifest(
                "debian-12",
                new Manifest.Disk("qcow2", 5 << 20, 1L << 40, List.of(HASH, HASH)),
                List.of(new Manifest.KernelFiles(
                        "cloud", new TreeSet<>(List.of(Provides.values())), commandLine, HASH, HASH)),
                Optional.empty(),
                Map.of("title", label));
    }

    @Property(tries = 300)
    void readsWhatItWrote(
            @ForAll String label, @ForAll @StringLength(max = 80) @CharRange(from = ' ', to = '~') String commandLine) {
        org.assertj.core.api.Assumptions.assumeThat(
                        StandardCharsets.UTF_8.newEncoder().canEncode(label))
                .isTrue();
        Manifest manifest = manifest(label.replaceAll("\\p{C}", "?"), commandLine);
        assertThat(Manifest.parse(manifest.render())).isEqualTo(manifest);
    }

    @Test
    void readsADiskThatBootsItself() {
        Manifest disk = new Manifest(
                "mine",
                new Manifest.Disk("qcow2", 5 << 20, 1L << 40, List.of(HASH, HASH)),
                List.of(),
                Optional.of(new DiskBoot(Set.of(Provides.NINE_P, Provides.NFS))),
                Map.of());
        String text = new String(disk.render(), StandardCharsets.UTF_8);
        assertThat(text)
                .contains("\nboot: \"disk\"\nprovides: [\"nfs\", \"9p\"]\n")
                .doesNotContain("kernel");
        assertThat(Manifest.parse(disk.render())).isEqualTo(disk);
        assertThatThrownBy(() -> Manifest.parse(
                        text.replace("\"disk\"\np", "\"uefi\"\np").getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("boot 'uefi'");
        assertThatThrownBy(() -> new Manifest("mine", disk.disk(), List.of(), Optional.empty(), Map.of()))
                .hasMessageContaining("neither kernels nor a disk that boots itself");
        assertThatThrownBy(() ->
                        new Manifest("mine", disk.disk(), manifest("x", "quiet").kernels(), disk.diskBoot(), Map.of()))
                .hasMessageContaining("or both");
    }

    @Property(tries = 200)
    void anyBytesAreReadOrRefused(@ForAll byte[] bytes) {
        try {
            Manifest.parse(bytes);
        } catch (VseException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_CORRUPT);
        }
    }

    @Test
    void aManifestThatIsNotCanonicalIsRefused() {
        String text = new String(manifest("x", "quiet").render(), StandardCharsets.UTF_8);
        assertThatThrownBy(() -> Manifest.parse((text + "# more\n").getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("not canonical");
        assertThatThrownBy(() -> Manifest.parse(
                        text.replace("name: \"cloud\"", "name: \"../cloud\"").getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("kernel name '../cloud'");
        assertThatThrownBy(() ->
                        Manifest.parse(text.replace("format: 1", "format: 2").getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("format '2'");
    }
}
