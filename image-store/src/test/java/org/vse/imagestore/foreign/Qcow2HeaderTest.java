package org.vse.imagestore.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class Qcow2HeaderTest {
    private static Qcow2Header read(byte[] file) {
        return Qcow2Header.read(
                Arrays.copyOf(file, Math.min(file.length, Qcow2Header.HEAD_BYTES)), file.length, ImportLimits.DEFAULT);
    }

    private static String refused(CraftedQcow2 file) {
        VseException e = catchThrowableOfType(VseException.class, () -> read(file.bytes()));
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_REFUSED);
        return e.facts().getOrDefault("found", e.what());
    }

    @Test
    void aPlainDiskIsRead() {
        assertThat(read(new CraftedQcow2().bytes())).isEqualTo(new Qcow2Header(3, 1 << 16, 64L << 20));
        assertThat(read(new CraftedQcow2()
                                .large(72, 1L << 3)
                                .text(104, "\u0001")
                                .bytes())
                        .virtualBytes())
                .isEqualTo(64L << 20);
        byte[] names =
                new CraftedQcow2().number(112, 0x6803f857).number(116, 48).bytes();
        assertThat(read(names).version()).isEqualTo(3);
    }

    @Test
    void whatNamesAnotherFileIsRefused() {
        assertThat(refused(new CraftedQcow2().backing("/etc/shadow"))).isEqualTo("it has a backing file");
        assertThat(refused(new CraftedQcow2().large(72, 1L << 2))).isEqualTo("it needs an external data file");
        assertThat(refused(new CraftedQcow2().number(112, 0x44415441).number(116, 8)))
                .isEqualTo("it has an external data file");
        assertThat(refused(new CraftedQcow2().number(112, 0xe2792aca).number(116, 8)))
                .isEqualTo("it has a backing file format");
    }

    @Test
    void whatThisReaderDoesNotKnowIsRefused() {
        assertThat(refused(new CraftedQcow2().number(32, 1))).isEqualTo("it is encrypted (method 1)");
        assertThat(refused(new CraftedQcow2().number(112, 0x0537be77).number(116, 16)))
                .isEqualTo("it has an encryption header");
        assertThat(refused(new CraftedQcow2().number(60, 2))).isEqualTo("it has snapshots");
        assertThat(refused(new CraftedQcow2().large(72, 1L << 63))).isEqualTo("it needs feature 63");
        assertThat(refused(new CraftedQcow2().large(72, 0b10011)).lines())
                .hasSize(3)
                .anyMatch(line -> line.contains("corrupt"))
                .anyMatch(line -> line.contains("extended L2"));
        assertThat(refused(new CraftedQcow2().number(112, 0x12345678).number(116, 8)))
                .isEqualTo("it has the unknown header extension 0x12345678");
        assertThat(refused(new CraftedQcow2().number(4, 4))).isEqualTo("its version is 4");
        assertThat(refused(new CraftedQcow2().large(72, 1L << 3).text(104, "\u0009")))
                .isEqualTo("its compression type is 9");
    }

    @Test
    void sizesAndTablesAreBounded() {
        assertThat(refused(new CraftedQcow2().large(24, 1L << 62)))
                .contains(
                        "its virtual size is 4611686018427387904 bytes, more than 1099511627776",
                        "L1 table is too short");
        assertThat(refused(new CraftedQcow2().large(24, -512))).contains("its virtual size is 18446744073709551104");
        assertThat(refused(new CraftedQcow2().large(24, 513))).contains("513 bytes");
        assertThat(refused(new CraftedQcow2().number(36, -1))).contains("its L1 table has 4294967295 entries");
        assertThat(refused(new CraftedQcow2().large(40, 1L << 40))).contains("its L1 table is outside of the file");
        assertThat(refused(new CraftedQcow2().large(40, Long.MAX_VALUE - 65535)))
                .contains("L1 table is outside");
        assertThat(refused(new CraftedQcow2().large(40, 0))).contains("L1 table is outside");
        assertThat(refused(new CraftedQcow2().large(48, 17))).contains("refcount table is outside");
        assertThat(refused(new CraftedQcow2().number(56, -1))).contains("refcount table has 281474976645120 bytes");
        assertThat(refused(new CraftedQcow2().number(20, 63))).contains("2^63");
        assertThat(refused(new CraftedQcow2().number(96, 7))).contains("refcount order is 7");
        assertThat(refused(new CraftedQcow2().number(100, 1 << 30))).contains("its header has 1073741824 bytes");
        assertThat(refused(new CraftedQcow2().number(112, 0x6803f857).number(116, -1)))
                .isEqualTo("its header extensions do not end");
    }

    @Test
    void anotherFormatIsCalledByItsName() {
        assertThat(refused(new CraftedQcow2().text(0, "KDMV"))).isEqualTo("it is a VMDK disk");
        assertThat(refused(new CraftedQcow2().text(0, "#!/b"))).isEqualTo("it does not begin like a qcow2 disk");
        assertThat(catchThrowableOfType(VseException.class, () -> read(new byte[71]))
                        .what())
                .contains("shorter than a qcow2 header");
        assertThat(DiskFormat.RAW.contradiction(new CraftedQcow2().bytes())).contains("a qcow2 disk");
        assertThat(DiskFormat.RAW.contradiction(new byte[3])).isEqualTo(Optional.empty());
    }

    /** Whatever the bytes are: a header that stands within its limits, or IMAGE_REFUSED, and nothing else. */
    @Property(tries = 2000)
    void noBytesDoHarm(@ForAll long seed, @ForAll @Size(8) int[] places) {
        byte[] file = new CraftedQcow2().bytes();
        Random random = new Random(seed);
        for (int place : places) {
            file[Math.floorMod(place, 160)] = (byte) random.nextInt();
        }
        byte[] cut = Arrays.copyOf(file, random.nextInt(8) == 0 ? random.nextInt(200) : file.length);
        try {
            Qcow2Header header = read(cut);
            assertThat(header.virtualBytes()).isBetween(1L, ImportLimits.DEFAULT.virtualBytes());
        } catch (VseException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_REFUSED);
        }
    }
}
