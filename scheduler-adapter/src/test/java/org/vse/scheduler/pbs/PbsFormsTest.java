package org.vse.scheduler.pbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.scheduler.JobFacts.NodeShare;
import org.vse.scheduler.Source;

class PbsFormsTest {
    private static final Pattern PIECE = Pattern.compile("([a-z0-9]+)/([0-9]+)");

    @ParameterizedTest
    @ValueSource(strings = {"1", "22.pbssrv", "7[1].pbssrv", "12.head.site.org", "3[10].a+b-c_d"})
    void idsOfJobs(String id) {
        assertThat(PbsForms.isJob(id)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-f",
                "7[].pbssrv",
                "7[1.x",
                "a.b",
                "1.x y",
                "1.x\n",
                "1.../..",
                "1./etc",
                "1.x;id",
                "1. ",
                "1[1][2]"
            })
    void whatIsNoIdOfAJob(String id) {
        assertThat(PbsForms.isJob(id)).isFalse();
        assertThat(PbsForms.arrayIndex(id)).isEmpty();
    }

    @Test
    void aMemberOfAnArrayHasItsPlace() {
        assertThat(PbsForms.arrayIndex("7[12].pbssrv")).isEqualTo(OptionalInt.of(12));
        assertThat(PbsForms.arrayIndex("7[0]")).isEqualTo(OptionalInt.of(0));
        assertThat(PbsForms.arrayIndex("7.pbssrv")).isEmpty();
    }

    @Test
    void aNameIsNeverAnOptionOrANumber() {
        assertThat(PbsForms.whoIs("alice")).contains(new Source.Answer(List.of("id", "-u", "alice"), Map.of()));
        for (String wrong : List.of("", "0", "1001", "-g", "--help", "al ice", "alice\n", "a;b", "a/b")) {
            assertThat(PbsForms.whoIs(wrong)).as(wrong).isEmpty();
        }
        assertThat(PbsForms.uid("1001\n")).isEqualTo(OptionalInt.of(1001));
        for (String wrong : List.of("", "1001", "-1\n", "99999999999\n", "1\n2\n", "alice\n")) {
            assertThat(PbsForms.uid(wrong)).as(wrong).isEmpty();
        }
    }

    @Test
    void timesAndSizes() {
        assertThat(PbsForms.time("100:00:01")).contains(Duration.ofSeconds(360_001));
        assertThat(PbsForms.time("90")).contains(Duration.ofSeconds(90));
        assertThat(PbsForms.bytes("64mb")).isEqualTo(OptionalLong.of(64L << 20));
        assertThat(PbsForms.bytes("65536kb")).isEqualTo(OptionalLong.of(64L << 20));
        assertThat(PbsForms.bytes("2GB")).isEqualTo(OptionalLong.of(2L << 30));
        assertThat(PbsForms.bytes("1kw")).isEqualTo(OptionalLong.of(8192));
        for (String wrong : List.of("", "0", "00:00:00", "-1", "1:", "1.5", "99999999999", "::")) {
            assertThat(PbsForms.time(wrong)).as(wrong).isEmpty();
        }
        for (String wrong : List.of("", "0kb", "-1kb", "64 mb", "999999999999999999pb", "mb", "1e3")) {
            assertThat(PbsForms.bytes(wrong)).as(wrong).isEmpty();
        }
    }

    @Test
    void aNodeThatIsThereTwiceHasTheSum() {
        assertThat(shares("b/2+a/1+b/3")).containsExactly(share("b", 5), share("a", 1));
        for (String wrong : List.of("", "a", "a/0", "a/1+", "+a/1", "a/1 +b/1", "a/999999+a/999999", "a/1+b")) {
            assertThat(shares(wrong)).as(wrong).isEmpty();
        }
    }

    @Test
    void theLineOfAJobShell() {
        assertThat(PbsForms.spooled("/m/jobs/7[1].s.SC\n")).contains("/m/jobs/7[1].s.SC");
        assertThat(PbsForms.spooled("/m/jobs/7\\[1\\].s.SC\n")).contains("/m/jobs/7[1].s.SC");
        assertThat(PbsForms.spooled("/m/jobs/7.s.SC")).contains("/m/jobs/7.s.SC");
        assertThat(PbsForms.spooled("")).isEmpty();
        assertThat(PbsForms.spooled("\n")).isEmpty();
        assertThat(PbsForms.isSpooled("/m/jobs/7[1].s.SC")).isTrue();
        for (String wrong : List.of("7.SC", "/m/7", "/m/7.SC\n/m/8.SC", "/m/7 x.SC", "/m/7.SC\u0000.SC")) {
            assertThat(PbsForms.isSpooled(wrong)).as(wrong).isFalse();
        }
    }

    private static List<NodeShare> shares(String list) {
        return PbsForms.shares(list, PIECE, piece -> Integer.parseInt(piece.group(2)));
    }

    private static NodeShare share(String node, int count) {
        return new NodeShare(node, count, List.of());
    }
}
