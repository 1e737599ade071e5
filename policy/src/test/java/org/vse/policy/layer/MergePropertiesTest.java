package org.vse.policy.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
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
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobScript;
import org.vse.policy.Setting;
import org.vse.policy.gate.Gate;
import org.vse.policy.gate.GateJob;

/** What holds for all layers. The seeds are fixed: a failure is the same on every machine. */
class MergePropertiesTest {
    private static final String SEED = "20261121";
    private static final String POLICY = "/etc/vse/policy.yaml";
    private static final Pattern PLACE = Pattern.compile("([^\\s:']+):([0-9]+):([0-9]+)");
    private static final List<String> KEYS = List.of(
            "image",
            "memory",
            "vcpus",
            "vms-per-node",
            "share",
            "network",
            "oversubscribe",
            "head-memory",
            "head-vcpus",
            "services",
            "mounts",
            "boot",
            "boot-timeout",
            "plug-ins",
            "hostdev",
            "on-walltime",
            "checkpoint-every",
            "resume",
            "packages",
            "files",
            "run",
            "build-timeout",
            "build-size",
            "root");

    /** What one layer says: values by key, keys taken away, keys reserved, and a variant for jobs of more than two VMs. */
    record Said(Map<String, String> sets, List<String> removes, List<String> reserved, Map<String, String> variant) {
        /** As YAML with its keys in an order that the random numbers pick; {@code indent} before each line. */
        String yaml(String indent, boolean isFile, Random order) {
            List<String> values = new ArrayList<>();
            sets.forEach((key, value) -> values.add(key + ": " + value));
            removes.stream().filter(k -> !sets.containsKey(k)).forEach(key -> values.add(key + ": ~"));
            Collections.shuffle(values, order);
            List<String> blocks = new ArrayList<>();
            if (isFile) {
                values.forEach(v -> blocks.add(indent + v + "\n"));
            } else if (!values.isEmpty()) {
                blocks.add(indent + "defaults: { " + String.join(", ", values) + " }\n");
            }
            if (!reserved.isEmpty()) {
                List<String> words = new ArrayList<>(reserved);
                Collections.shuffle(words, order);
                blocks.add(indent + "reserved: [" + String.join(", ", words) + "]\n");
            }
            if (!variant.isEmpty()) {
                List<String> words = new ArrayList<>(List.of("when: vms > 2"));
                variant.forEach((key, value) -> words.add(key + ": " + value));
                Collections.shuffle(words, order);
                blocks.add(indent + "variants: [{ " + String.join(", ", words) + " }]\n");
            }
            Collections.shuffle(blocks, order);
            return String.join("", blocks);
        }
    }

    /** The texts of one job. */
    record Texts(String policy, String file, String script) {
        Judgement judge() {
            JobScript job = JobScript.parse("job.sh", script);
            List<Layer> files = DescriptionFiles.layers(job, java.nio.file.Path.of("/home"), asked -> file);
            return Policy.site(POLICY, policy)
                    .judge("q", job, files, new Applicant("alice", List.of(), 2, OptionalInt.empty()));
        }

        /** The text that a position is in. */
        String of(String name) {
            return switch (name) {
                case POLICY -> policy;
                case "job.sh" -> script;
                case Policy.VENDOR -> Policy.vendorText();
                default -> file;
            };
        }
    }

    private static Texts texts(Said site, Said file, Map<String, String> lines, long order) {
        Random random = new Random(order);
        List<String> words = new ArrayList<>(List.of("vse=a.yaml"));
        lines.forEach((key, value) -> words.add(key + "=" + value));
        Collections.shuffle(words, random);
        List<String> rules = new ArrayList<>(List.of(
                "      memory: 8GiB\n",
                "      vms: 4\n",
                "      share: [nfs, none]\n",
                "      memory-per-node: 12GiB\n"));
        Collections.shuffle(rules, random);
        List<String> parts = new ArrayList<>(List.of(
                site.yaml("    ", false, random),
                "    images: { allow: ['debian*'] }\n",
                "    limits:\n" + String.join("", rules)));
        Collections.shuffle(parts, random);
        return new Texts(
                "queues:\n  q:\n" + String.join("", parts),
                file.yaml("", true, random),
                "#!/bin/sh\n#VSE " + String.join(" ", words) + "\n");
    }

    @Property(seed = SEED, tries = 500)
    void theOrderOfKeysDoesNotMatter(
            @ForAll("layers") Said site,
            @ForAll("layers") Said file,
            @ForAll("values") Map<String, String> lines,
            @ForAll long one,
            @ForAll long other) {
        Judgement first = texts(site, file, lines, one).judge();
        Judgement second = texts(site, file, lines, other).judge();
        assertThat(plain(first)).isEqualTo(plain(second));
        assertThat(first.refusals().stream().map(VseException::what))
                .containsExactlyElementsOf(
                        second.refusals().stream().map(VseException::what).toList());
    }

    private static Map<DirectiveKey, String> plain(Judgement judgement) {
        Map<DirectiveKey, String> plain = new EnumMap<>(DirectiveKey.class);
        judgement.settings().all().forEach(s -> plain.put(s.key(), s.text()));
        return plain;
    }

    @Property(seed = SEED, tries = 1000)
    void aReservedKeyIsNeverChangedByALaterLayer(
            @ForAll("layers") Said site, @ForAll("layers") Said file, @ForAll("values") Map<String, String> lines) {
        Said silent = new Said(Map.of(), List.of(), List.of(), Map.of());
        Judgement alone = texts(site, silent, Map.of(), 1).judge();
        Judgement all = texts(site, file, lines, 1).judge();
        Said plain = new Said(site.sets(), site.removes(), site.reserved(), Map.of());
        Judgement withoutVariant = texts(plain, silent, Map.of(), 1).judge();
        for (String word : site.reserved()) {
            DirectiveKey key = DirectiveKey.of(word).orElseThrow();
            assertThat(all.merged().value(key).text())
                    .isIn(
                            Optional.ofNullable(site.variant().get(word)),
                            withoutVariant.merged().value(key).text());
            if (!site.variant().containsKey(word)) {
                assertThat(all.merged().value(key).text())
                        .isEqualTo(alone.merged().value(key).text());
            }
            Optional<String> wanted = Optional.ofNullable(lines.get(word));
            boolean refused = all.refusals().stream().anyMatch(r -> r.what().startsWith("'" + word + "' is reserved"));
            if (wanted.isPresent() && !wanted.equals(all.merged().value(key).text())) {
                assertThat(refused).isTrue();
            }
        }
    }

    @Property(seed = SEED, tries = 1000)
    void provenanceLeadsToTheValueInTheText(
            @ForAll("layers") Said site, @ForAll("layers") Said file, @ForAll("values") Map<String, String> lines) {
        Texts texts = texts(site, file, lines, 3);
        Judgement judgement = texts.judge();
        for (Setting setting : judgement.settings().all()) {
            assertThat(at(texts, setting.position())).startsWith(setting.text());
        }
        for (Merged.Value value : judgement.merged().values().values()) {
            for (Merged.Origin origin : value.history()) {
                assertThat(at(texts, origin.at()))
                        .startsWith(origin.text().orElse(value.key().word() + ": ~"));
            }
            value.reserved()
                    .ifPresent(r ->
                            assertThat(at(texts, r.at())).startsWith(value.key().word()));
        }
        for (VseException refusal : judgement.refusals()) {
            Matcher place = PLACE.matcher(refusal.render());
            assertThat(place.find()).as(refusal.render()).isTrue();
            do {
                SourcePosition at = new SourcePosition(
                        place.group(1), Integer.parseInt(place.group(2)), Integer.parseInt(place.group(3)));
                assertThat(at(texts, at)).isNotBlank();
            } while (place.find());
        }
    }

    private static String at(Texts texts, SourcePosition position) {
        String line = texts.of(position.file()).lines().toList().get(position.line() - 1);
        return line.substring(position.column() - 1);
    }

    @Property(seed = SEED, tries = 1000)
    void whatTheGateRefusesTheNodeRefusesInTheSameWords(
            @ForAll("layers") Said site, @ForAll("values") Map<String, String> lines, @ForAll("nodes") int nodes) {
        Said silent = new Said(Map.of(), List.of(), List.of(), Map.of());
        Texts texts = texts(site, silent, lines, 5);
        String script = texts.script().replace("vse=a.yaml", "disk=1GiB");
        Policy policy = Policy.site(POLICY, texts.policy());
        Judgement node = policy.judge(
                "q",
                JobScript.parse("job.sh", script),
                List.of(),
                new Applicant("alice", List.of(), nodes, OptionalInt.empty()));
        Optional<String> gate = Gate.read(GateFile.of(policy))
                .refusal(new GateJob("job.sh", script, "q", "alice", List.of(), OptionalInt.of(nodes)));
        boolean shareIsSaid = node.settings().get(DirectiveKey.SHARE).isPresent();
        List<String> said = node.refusals().stream()
                .filter(r -> shareIsSaid || !r.what().startsWith("'share="))
                .filter(r -> !r.what()
                        .matches("'(head-services|services|mounts|boot|plug-ins|hostdev|packages|files|run)=.*"))
                .map(VseException::render)
                .toList();
        if (gate.isPresent() && !gate.get().contains("[DIRECTIVE_IMAGE_MISSING]")) {
            assertThat(said).contains(gate.get());
        }
        if (site.variant().isEmpty() && !said.isEmpty()) {
            assertThat(gate).contains(said.get(0));
        }
        if (gate.isEmpty() && site.variant().isEmpty()) {
            assertThat(said).isEmpty();
            assertThat(node.settings().get(DirectiveKey.IMAGE)).isPresent();
        }
    }

    @Property(seed = SEED, tries = 2000)
    void anyTextIsReadOrRefusedWithAPlaceInIt(@ForAll("texts") String text) {
        try {
            Policy policy = Policy.site(POLICY, text);
            assertThat(GateFile.of(policy)).endsWith("end\n");
        } catch (VseException refused) {
            assertThat(refused.where()).startsWith(POLICY + ":");
            assertThat(refused.render()).matches(r -> r.codePoints().noneMatch(c -> c < ' ' && c != '\n' && c != '\t'));
        }
    }

    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> pieces = Arbitraries.of(
                "queues:",
                "all:",
                " q:",
                "\n",
                "\n  ",
                "\n    ",
                "images:",
                "{",
                "}",
                "[",
                "]",
                ", ",
                ": ",
                "allow",
                "'*'",
                "\"",
                "*a",
                "&a ",
                "!!x ",
                "~",
                "memory",
                "1GiB",
                "limits",
                "defaults",
                "variants",
                "when",
                "- ",
                "# x",
                "---",
                "|",
                ">",
                "?",
                "%",
                "\t",
                "\u00e9",
                "\ud83d\ude00",
                "\u0000",
                "\u2028",
                "reserved",
                "extends: q");
        return Arbitraries.oneOf(
                pieces.list().ofMaxSize(40).map(l -> String.join("", l)),
                Arbitraries.strings().all().ofMaxLength(40));
    }

    @Provide
    Arbitrary<Integer> nodes() {
        return Arbitraries.integers().between(1, 5);
    }

    @Provide
    Arbitrary<Map<String, String>> values() {
        return Arbitraries.subsetOf(KEYS)
                .flatMap(keys -> Combinators.combine(keys.stream()
                                .map(key -> Arbitraries.of(allowed(key)).map(v -> Map.entry(key, v)))
                                .toList())
                        .as(MergePropertiesTest::together));
    }

    private static Map<String, String> together(List<Map.Entry<String, String>> entries) {
        Map<String, String> values = new TreeMap<>();
        entries.forEach(e -> values.put(e.getKey(), e.getValue()));
        return values;
    }

    @Provide
    Arbitrary<Said> layers() {
        Arbitrary<List<String>> few = Arbitraries.subsetOf(KEYS).map(List::copyOf);
        return Combinators.combine(values(), few, few, values())
                .as((sets, removes, reserved, variant) -> new Said(sets, removes, reserved, variant));
    }

    private static List<String> allowed(String key) {
        return switch (key) {
            case "image" -> List.of("debian", "debian-12", "centos");
            case "packages" -> List.of("hello", "-nano");
            case "files" -> List.of("delete:/etc/motd");
            case "run" -> List.of("ldconfig", "/opt/prepare");
            case "memory", "head-memory", "build-size" -> List.of("512MiB", "4GiB", "7GiB", "9GiB");
            case "vcpus", "vms-per-node", "head-vcpus", "boot-timeout", "build-timeout" -> List.of("1", "2", "3");
            case "share" -> List.of("nfs", "9p", "none");
            case "network" -> List.of("job", "user");
            case "services" -> List.of("ssh", "cron");
            case "mounts" -> List.of("/scratch", "/scratch/a:rw");
            case "boot" -> List.of("quiet", "mitigations=off");
            case "plug-ins" -> List.of("hostfile", "hostfile:mpich");
            case "hostdev" -> List.of("0000:3b:00.0", "0000:3b:00.1");
            case "on-walltime" -> List.of("kill", "signal", "checkpoint");
            case "checkpoint-every" -> List.of("30m", "2h");
            case "resume" -> List.of("4711", "12.head");
            default -> List.of("no", "yes");
        };
    }
}
