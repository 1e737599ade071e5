package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({"0KiB,0", "1KiB,1024", "512MiB,536870912", "2GiB,2147483648", "16TiB,17592186044416", "007MiB,7340032"})
    void sizesAreBytes(String text, long bytes) {
        assertThat(ByteSize.parse(text)).hasValue(bytes);
    }

    @ParameterizedTest
    @CsvSource({"8388608TiB", "99999999999999999999KiB", "9223372036854775807KiB"})
    void whatDoesNotFitIsTheLargestNumber(String text) {
        assertThat(ByteSize.parse(text)).hasValue(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({"2G", "2GB", "2gib", "2", "''", "GiB", "-1MiB", "+1MiB", "1.5GiB", "2 GiB", "2PiB", "٢GiB"})
    void otherTextsAreNotSizes(String text) {
        assertThat(ByteSize.parse(text)).isEmpty();
    }

    @Property(seed = "20261121")
    void formatAndParseAreInverse(@ForAll @LongRange(min = 0, max = (1L << 53) - 1) long kib) {
        assertThat(ByteSize.parse(ByteSize.format(kib << 10))).hasValue(kib << 10);
    }

    @Test
    void formatIsExact() {
        assertThat(ByteSize.format(1536 * ByteSize.MIB)).isEqualTo("1536MiB");
        assertThat(ByteSize.format(2048 * ByteSize.GIB)).isEqualTo("2TiB");
        assertThatThrownBy(() -> ByteSize.format(1000)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "2G,2GiB",
        "2Gb,2GiB",
        "2048m,2GiB",
        "0.5T,512GiB",
        "1.5g,1536MiB",
        "536870912,512MiB",
        "2048,2GiB",
        "100,100MiB",
        "0.0001K,''",
        "many,''",
        "999999999999T,''"
    })
    void aSuggestionIsASizeOrNothing(String text, String suggestion) {
        assertThat(ByteSize.suggestion(text).orElse("")).isEqualTo(suggestion);
    }
}
