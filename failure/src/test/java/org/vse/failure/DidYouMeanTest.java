package org.vse.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class DidYouMeanTest {
    @Test
    void findsTyposAndNothingElse() {
        List<String> known = List.of("packages", "package", "kernels");
        assertThat(DidYouMean.of("pakages", known)).contains("packages");
        assertThat(DidYouMean.of("kernles", known)).contains("kernels");
        assertThat(DidYouMean.of("zzz", known)).isEmpty();
        assertThat(DidYouMean.of("k".repeat(100_000), known)).isEmpty();
    }

    @Property(tries = 300)
    void distanceIsSymmetricAndZeroOnlyForEqualWords(
            @ForAll @StringLength(max = 12) String a, @ForAll @StringLength(max = 12) String b) {
        assertThat(DidYouMean.distance(a, b)).isEqualTo(DidYouMean.distance(b, a));
        assertThat(DidYouMean.distance(a, b) == 0).isEqualTo(a.equals(b));
    }
}
