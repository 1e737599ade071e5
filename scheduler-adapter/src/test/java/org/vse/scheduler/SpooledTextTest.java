package org.vse.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpooledTextTest {
    @Test
    void textIsText() {
        String text = "#!/bin/sh\necho \u00e4\u20ac\ud83d\ude00\n";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThat(SpooledText.decode(bytes)).isEqualTo(text);
        assertThat(SpooledText.encode(text)).isEqualTo(bytes);
    }

    @Test
    void whatIsNoTextKeepsEveryByte() {
        Random random = new Random(7);
        for (int round = 0; round < 500; round++) {
            byte[] bytes = new byte[random.nextInt(64)];
            random.nextBytes(bytes);
            assertThat(SpooledText.encode(SpooledText.decode(bytes))).isEqualTo(bytes);
        }
        byte[] latin = "#VSE image=x\necho \u00e4\u00fc\n".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(SpooledText.decode(latin)).startsWith("#VSE image=x\necho ").endsWith("\n");
        assertThat(SpooledText.encode(SpooledText.decode(latin))).isEqualTo(latin);
    }
}
