package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class SaveImageTest {
    private static final String STREAM = "QEVM and so on";

    @TempDir
    Path directory;

    @Test
    void theDescriptionGoesAndComesAndTheStreamStays() throws IOException {
        Path file = write("LibvirtQemudSave", 2, 4000, 0, "<domain>an old one</domain>", STREAM);
        SaveImage image = SaveImage.of(file);
        assertThat(image.stream()).isEqualTo(92 + 4000);
        image.blank();
        assertThat(text(file)).doesNotContain("domain").endsWith(STREAM);
        image.describe("<domain>another, übermut</domain>");
        assertThat(text(file)).contains("<domain>another, übermut</domain>\0").endsWith(STREAM);
        ByteBuffer header = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
        assertThat(header.getInt(16)).as("version").isEqualTo(2);
        assertThat(header.getInt(20)).as("room").isEqualTo(4000);
        assertThat(header.getInt(24)).as("was running").isZero();
        assertThat(header.getInt(28)).as("compression").isZero();
        assertThat(header.getInt(32)).as("cookie").isZero();
        assertThat(SaveImage.of(file).stream()).isEqualTo(92 + 4000);
    }

    @Test
    void aDescriptionThatDoesNotFitIsRefusedAndWritesNothing() throws IOException {
        Path file = write("LibvirtQemudSave", 2, 100, 0, "<old/>", STREAM);
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> SaveImage.of(file).describe("x".repeat(100)))
                .satisfies(e -> assertThat(((VseException) e).code()).isEqualTo(ErrorCode.CHECKPOINT_INVALID));
        assertThat(file).hasBinaryContent(before);
    }

    @Test
    void whatIsNoSavedMachineIsRefused() throws IOException {
        refused(write("LibvirtQemudPart", 2, 100, 0, "<x/>", STREAM), "of another kind");
        refused(write("LibvirtQemudSave", 3, 100, 0, "<x/>", STREAM), "of another version");
        refused(write("LibvirtQemudSave", 2, 100, 1, "<x/>", STREAM), "compressed");
        refused(write("LibvirtQemudSave", 2, -5, 0, "<x/>", STREAM), "cut off");
        refused(write("LibvirtQemudSave", 2, 100, 0, "<x/>", ""), "cut off");
        refused(write("LibvirtQemudSave", 2, 32 << 20, 0, "<x/>", STREAM), "cut off");
        Path file = write("LibvirtQemudSave", 2, 100, 0, "<x/>", STREAM);
        assertThat(SaveImage.of(file, 192).stream()).isEqualTo(192);
        assertThatThrownBy(() -> SaveImage.of(file, 200)).hasMessageContaining(file.toString());
        refused(Files.writeString(directory.resolve("short"), "LibvirtQemudSave"), "shorter than a header");
        refused(Files.writeString(directory.resolve("empty"), ""), "shorter than a header");
    }

    private static void refused(Path file, String found) {
        assertThatThrownBy(() -> SaveImage.of(file))
                .hasMessageContaining(file.toString())
                .satisfies(e -> {
                    assertThat(((VseException) e).code()).isEqualTo(ErrorCode.CHECKPOINT_INVALID);
                    assertThat(((VseException) e).facts().toString()).contains(found);
                });
    }

    private Path write(String magic, int version, int room, int compression, String xml, String stream)
            throws IOException {
        byte[] area = new byte[Math.min(Math.max(room, 10), 1 << 16)];
        byte[] text = xml.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(text, 0, area, 0, Math.min(area.length, text.length));
        ByteBuffer head = ByteBuffer.allocate(92).order(ByteOrder.nativeOrder());
        head.put(magic.getBytes(StandardCharsets.US_ASCII));
        head.putInt(version).putInt(room).putInt(1).putInt(compression).putInt(text.length + 1);
        Arrays.fill(head.array(), head.position(), 92, (byte) 7);
        ByteBuffer all = ByteBuffer.allocate(92 + area.length + stream.length());
        all.put(head.array()).put(area).put(stream.getBytes(StandardCharsets.US_ASCII));
        Path file = Files.createTempFile(directory, "saved", "");
        return Files.write(file, all.array());
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
