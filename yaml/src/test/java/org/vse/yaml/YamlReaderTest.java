package org.vse.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Collections;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class YamlReaderTest {
    private static final int MOST = 1 << 20;

    @Test
    void valuesKnowWhereTheyStandAndWhatTheyAre() {
        YamlValue.Mapping root = (YamlValue.Mapping) read("a: [x, 2, true, ~]\nb:\n  c: ''\n");
        YamlValue.Entry a = entry(root, "a");
        YamlValue.Entry b = entry(root, "b");
        YamlValue.Scalar c =
                (YamlValue.Scalar) entry((YamlValue.Mapping) b.value(), "c").value();
        assertThat(a.at()).hasToString("f.yaml:1:1");
        assertThat(((YamlValue.Sequence) a.value()).items())
                .extracting(item -> ((YamlValue.Scalar) item).type())
                .containsExactly(
                        YamlValue.Scalar.Type.TEXT,
                        YamlValue.Scalar.Type.NUMBER,
                        YamlValue.Scalar.Type.TRUTH,
                        YamlValue.Scalar.Type.NOTHING);
        assertThat(c.at()).hasToString("f.yaml:3:6");
        assertThat(c.isNothing()).isFalse();
        assertThat(root.kind()).isEqualTo("a mapping");
        assertThat(a.value().kind()).isEqualTo("a list");
    }

    @Test
    void anEmptyTextIsAnEmptyMapping() {
        assertThat(((YamlValue.Mapping) read("")).entries()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a: 1\\na: 1             | f.yaml:2:1 | 'a' is given twice",
                "a: &x [1]               | f.yaml:1:4 | anchors and aliases are not allowed",
                "a: *x                   | f.yaml:1:4 | anchors and aliases are not allowed",
                "a: !!java/object x      | f.yaml:1:4 | tags such as '!name' are not allowed",
                "a: 1\\n---\\nb: 2      | f.yaml:3:1 | more than one document",
            })
    void whatIsRefusedHasItsPlace(String text, String where, String what) {
        VseException refused = refused(text.replace("\\n", "\n"));
        assertThat(refused.what()).isEqualTo(what);
        assertThat(refused.where()).isEqualTo(where);
    }

    @Test
    void aBombOfAliasesEndsAtItsFirstAnchor() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
        for (int i = 1; i < 30; i++) {
            String before = "*a" + (i - 1);
            bomb.append("a%d: &a%d [%s]\n".formatted(i, i, String.join(",", Collections.nCopies(9, before))));
        }
        assertThat(refused(bomb.toString()).where()).startsWith("f.yaml:1:");
    }

    @Test
    void depthAndSizeAreBounded() {
        String deep = "[".repeat(YamlReader.MAX_DEPTH + 2) + "]".repeat(YamlReader.MAX_DEPTH + 2);
        assertThat(refused(deep).what()).isEqualTo("nested deeper than " + YamlReader.MAX_DEPTH);
        assertThat(refused("[".repeat(5000)).code()).isEqualTo(ErrorCode.POLICY_INVALID);
        VseException large = refused("# " + "x".repeat(10 << 20));
        assertThat(large.what()).isEqualTo("the file is too large");
        assertThat(large.facts()).containsEntry("allowed", MOST + " bytes");
    }

    @Property(tries = 300)
    void anyTextIsReadOrRefusedAtAPlace(@ForAll String text) {
        try {
            read(text);
        } catch (VseException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID);
            assertThat(e.where()).matches("f\\.yaml:\\d+:\\d+");
        }
    }

    private static YamlValue.Entry entry(YamlValue.Mapping mapping, String key) {
        return java.util.Objects.requireNonNull(mapping.entries().get(key));
    }

    private static YamlValue read(String text) {
        return YamlReader.read("f.yaml", text, ErrorCode.POLICY_INVALID, MOST);
    }

    private static VseException refused(String text) {
        return catchThrowableOfType(VseException.class, () -> read(text));
    }
}
