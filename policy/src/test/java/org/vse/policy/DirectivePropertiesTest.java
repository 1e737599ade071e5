package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** What holds for every script. The seeds are fixed: a failure is the same on every machine. */
class DirectivePropertiesTest {
    private static final String SEED = "20261121";
    private static final Pattern PLACE = Pattern.compile("job\\.sh:([0-9]+):([0-9]+)");
    private static final String NASTY =
            "#VSE =:,;\n\r\t\0\"'`\\/.-_ aA0=KMGTiB\ufeff\u00a0\u00e9\ud83d\ude00\u001b\uffff\ud800";

    /** One key with its value and what stands before it: foreign lines and a new line, or blanks on the same line. */
    record Piece(boolean sameLine, List<String> foreign, String blanks) {}

    /** A script and where each value stands in it. */
    record Written(String text, Map<DirectiveKey, SourcePosition> places) {}

    @Property(seed = SEED, tries = 1000)
    void anyOrderAndAnyDistributionOverLinesSaysTheSame(
            @ForAll("values") Map<DirectiveKey, String> values,
            @ForAll("orders") List<DirectiveKey> order,
            @ForAll("layouts") List<Piece> layout) {
        Written written = write(values, order, layout);
        JobScript script = JobScript.parse("job.sh", written.text());
        String inOneLine =
                write(values, List.of(DirectiveKey.values()), plain()).text();

        assertThat(script.settings().all()).hasSize(values.size());
        for (Setting setting : script.settings().all()) {
            assertThat(setting.text()).isEqualTo(values.get(setting.key()));
            assertThat(setting.position()).isEqualTo(written.places().get(setting.key()));
        }
        JobDescription here = script.description();
        JobDescription there = JobScript.parse("job.sh", inOneLine).description();
        assertThat(here).usingRecursiveComparison().ignoringFields("provenance").isEqualTo(there);
        assertThat(here.provenance()).isEqualTo(written.places());
    }

    @Property(seed = SEED, tries = 2000)
    void aMutatedScriptIsReadOrRefusedWithAPlaceInIt(
            @ForAll("values") Map<DirectiveKey, String> values,
            @ForAll("orders") List<DirectiveKey> order,
            @ForAll("layouts") List<Piece> layout,
            @ForAll("mutations") List<Mutation> mutations) {
        String text = write(values, order, layout).text();
        for (Mutation mutation : mutations) {
            text = mutation.apply(text);
        }
        requireReadOrRefused(text);
    }

    @Property(seed = SEED, tries = 1000)
    void anyTextIsReadOrRefusedWithAPlaceInIt(@ForAll("texts") String text) {
        requireReadOrRefused(text);
        requireReadOrRefused("#VSE " + text);
        requireReadOrRefused("#VSE image=" + text);
    }

    private static void requireReadOrRefused(String text) {
        try {
            JobScript script = JobScript.parse("job.sh", text);
            if (script.isVse()) {
                script.description();
            }
        } catch (VseException refused) {
            Matcher place = PLACE.matcher(String.valueOf(refused.where()));
            assertThat(place.matches()).as(refused.render()).isTrue();
            List<String> lines = List.of(text.split("\n", -1));
            int line = Integer.parseInt(place.group(1));
            assertThat(line).isBetween(1, lines.size());
            String there = lines.get(line - 1);
            assertThat(Integer.parseInt(place.group(2))).isBetween(1, there.codePointCount(0, there.length()) + 1);
            assertThat(refused.render()).matches(r -> r.codePoints().noneMatch(c -> c < ' ' && c != '\n' && c != '\t'));
            assertThat(refused.next()).isNotBlank();
        }
    }

    private static List<Piece> plain() {
        Piece piece = new Piece(true, List.of(), " ");
        return Collections.nCopies(DirectiveKey.values().length, piece);
    }

    private static Written write(Map<DirectiveKey, String> values, List<DirectiveKey> order, List<Piece> layout) {
        StringBuilder text = new StringBuilder("#!/bin/bash");
        Map<DirectiveKey, SourcePosition> places = new EnumMap<>(DirectiveKey.class);
        boolean first = true;
        for (int i = 0; i < order.size(); i++) {
            String value = values.get(order.get(i));
            if (value == null) {
                continue;
            }
            Piece piece = layout.get(i);
            if (first || !piece.sameLine()) {
                piece.foreign().forEach(l -> text.append('\n').append(l));
                text.append("\n#VSE");
            }
            first = false;
            text.append(piece.blanks()).append(order.get(i).word()).append('=');
            int line = (int) text.chars().filter(c -> c == '\n').count() + 1;
            places.put(order.get(i), new SourcePosition("job.sh", line, text.length() - text.lastIndexOf("\n")));
            text.append(value);
        }
        return new Written(text.append("\n\necho '#VSE image=not-this'\n").toString(), places);
    }

    /** A change of a text at a place that is a fraction of its length. */
    record Mutation(int kind, int place, int length, String inserted) {
        String apply(String text) {
            int at = (int) ((long) text.length() * place / 1000);
            int to = Math.min(text.length(), at + length);
            String slice = text.substring(at, to);
            return switch (kind) {
                case 0 -> text.substring(0, at) + inserted + text.substring(at);
                case 1 -> text.substring(0, at) + text.substring(to);
                case 2 -> text.substring(0, at) + slice + slice + text.substring(to);
                default -> text.substring(0, at) + inserted + text.substring(to);
            };
        }
    }

    @Provide
    Arbitrary<List<Mutation>> mutations() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.integers().between(0, 1000),
                        Arbitraries.integers().between(0, 20),
                        Arbitraries.strings()
                                .withChars(NASTY.toCharArray())
                                .ofMinLength(1)
                                .ofMaxLength(3))
                .as(Mutation::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.oneOf(
                Arbitraries.strings().withChars(NASTY.toCharArray()).ofMaxLength(40),
                Arbitraries.strings().all().ofMaxLength(40));
    }

    @Provide
    Arbitrary<List<DirectiveKey>> orders() {
        return Arbitraries.shuffle(DirectiveKey.values());
    }

    @Provide
    Arbitrary<List<Piece>> layouts() {
        Arbitrary<String> comments = Arbitraries.strings()
                .withCharRange(' ', '~')
                .withChars("äß\u00a0")
                .ofMaxLength(20)
                .map(t -> "# " + t.replace('=', ' '));
        Arbitrary<String> foreign = Arbitraries.oneOf(
                Arbitraries.of(
                        "#PBS -N a -l nodes=2:ppn=2",
                        "#SBATCH --mem=2G",
                        "#$ -cwd",
                        "",
                        "  \t",
                        "##VSE image=off",
                        "#VSEARCH"),
                comments);
        return Combinators.combine(
                        Arbitraries.of(true, false),
                        foreign.list().ofMaxSize(3),
                        Arbitraries.of(" ", "  ", "\t", " \t "))
                .as((same, lines, blanks) -> new Piece(same, lines, blanks))
                .list()
                .ofSize(DirectiveKey.values().length);
    }

    @Provide
    Arbitrary<Map<DirectiveKey, String>> values() {
        Arbitrary<String> part = Combinators.combine(
                        Arbitraries.strings().withCharRange('a', 'z').numeric().ofLength(1),
                        Arbitraries.strings()
                                .withCharRange('a', 'z')
                                .numeric()
                                .withChars("._-")
                                .ofMaxLength(63))
                .as((a, b) -> a + b);
        Arbitrary<String> image =
                Arbitraries.oneOf(part, Combinators.combine(part, part).as((name, tag) -> name + ":" + tag));
        Arbitrary<String> counts = Arbitraries.integers().between(1, 256).map(String::valueOf);
        Arbitrary<String> sizes = Arbitraries.oneOf(
                Arbitraries.integers().between(64, 1 << 24).map(n -> n + "MiB"),
                Arbitraries.integers().between(1, 1 << 14).map(n -> n + "GiB"),
                Arbitraries.integers().between(1, 16).map(n -> n + "TiB"),
                Arbitraries.integers().between(64, 1 << 20).map(n -> n * 1024L + "KiB"));
        return Combinators.combine(List.of(
                        image,
                        optional(counts),
                        optional(sizes),
                        optional(sizes),
                        optional(counts),
                        optional(Arbitraries.of("nfs", "9p", "none")),
                        optional(Arbitraries.of("job", "user")),
                        optional(Arbitraries.of("no", "yes")),
                        Arbitraries.just(""),
                        optional(counts),
                        optional(sizes),
                        optional(Arbitraries.of("ssh", "munge,ssh")),
                        optional(Arbitraries.of("ssh", "cron,ssh")),
                        optional(Arbitraries.of("/scratch", "/scratch/a:rw,/data:ro")),
                        optional(Arbitraries.of("quiet", "nosmt,mitigations=off")),
                        optional(counts),
                        optional(Arbitraries.of("hostfile", "hostfile:mpich,license")),
                        optional(Arbitraries.of("0000:3b:00.0", "0000:3b:00.1,0000:af:1f.7")),
                        optional(Arbitraries.of("no", "yes")),
                        optional(Arbitraries.of("kill", "signal")),
                        optional(Arbitraries.just("")),
                        optional(Arbitraries.of("local-7", "4711[3].head")),
                        optional(Arbitraries.of("hello", "hello,-nano,g++")),
                        optional(Arbitraries.of("delete:/etc/motd", "copy:a:/b,edit:/etc/x:s/a=b/c/")),
                        optional(Arbitraries.of("ldconfig", "/opt/a=b")),
                        optional(counts),
                        optional(sizes)))
                .as(DirectivePropertiesTest::together);
    }

    private static Arbitrary<String> optional(Arbitrary<String> values) {
        return Arbitraries.oneOf(Arbitraries.just(""), values);
    }

    /** Leaves out what is empty and what contradicts a user network. */
    private static Map<DirectiveKey, String> together(List<String> texts) {
        Map<DirectiveKey, String> values = new EnumMap<>(DirectiveKey.class);
        Iterator<String> text = texts.iterator();
        for (DirectiveKey key : DirectiveKey.values()) {
            values.put(key, text.next());
        }
        values.values().removeIf(String::isEmpty);
        if ("user".equals(values.get(DirectiveKey.NETWORK))) {
            values.remove(DirectiveKey.VMS_PER_NODE);
            values.remove(DirectiveKey.SHARE, "nfs");
            values.remove(DirectiveKey.MOUNTS);
        }
        if (values.containsKey(DirectiveKey.MOUNTS)) {
            values.remove(DirectiveKey.SHARE);
        }
        return values;
    }
}
