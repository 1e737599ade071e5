package org.vse.job.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void readsEveryKindOfValue() {
        assertThat(Json.read(" {\"a\":[1,-2.5,true,false,null,\"x\\u00e9\\n\\\"\"],\"b\":{}} "))
                .isEqualTo(Map.of("a", Arrays.asList(1L, -2.5, true, false, null, "xé\n\""), "b", Map.of()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"a\"}",
                "{\"a\":1,}",
                "[1,]",
                "[1 2]",
                "01",
                "1.",
                "+1",
                "\"\t\"",
                "\"\\x\"",
                "\"\\u12g4\"",
                "tru",
                "{}{}",
                "{\"a\":1,\"a\":2}",
                "NaN",
                "\"open",
                "'a'",
                "[1",
                "-"
            })
    void refusesWhatIsNotJson(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.read(text)).withMessageContaining("not JSON");
    }

    @Test
    void refusesDeepNestingInsteadOfOverflowingTheStack() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Json.read("[".repeat(100_000)))
                .withMessageContaining("levels");
    }

    @Test
    void readsBackWhatItWrote() {
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            Object value = any(random, 0);
            assertThat(Json.read(Json.write(value))).isEqualTo(value);
        }
    }

    @Test
    void writesLoneSurrogatesAsEscapes() {
        assertThat(Json.write("\ud800")).isEqualTo("\"\\ud800\"");
    }

    @Test
    void objectsForgiveWhatIsMissingOrOfAnotherType() {
        JsonObject object = Json.readObject("{\"a\":null,\"b\":3,\"c\":[{\"d\":1},2],\"e\":[0,1]}");
        assertThat(object.text("a")).isEmpty();
        assertThat(object.text("b")).isEmpty();
        assertThat(object.number("b")).hasValue(3);
        assertThat(object.object("c")).isEmpty();
        assertThat(object.objects("c")).hasSize(1);
        assertThat(object.shown("e")).isEqualTo("0,1");
        assertThat(object.shown("a")).isEmpty();
    }

    private static Object any(Random random, int depth) {
        return switch (random.nextInt(depth > 3 ? 4 : 6)) {
            case 0 -> random.nextLong() / 1000;
            case 1 -> random.nextBoolean();
            case 2 -> random.nextDouble();
            case 3 ->
                random.ints(random.nextInt(12), 0, 0xd7ff)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
            case 4 -> List.copyOf(Collections.nCopies(random.nextInt(4), any(random, depth + 1)));
            default -> new TreeMap<>(Map.of("k" + random.nextInt(), any(random, depth + 1)));
        };
    }
}
