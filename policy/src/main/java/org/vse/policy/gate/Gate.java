package org.vse.policy.gate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Judges scripts by a compiled policy alone: it knows no key, queue or refusal but those in the file. What it refuses the node
 * refuses with the same words; what depends on files that only the node reads it leaves to the node.
 */
public final class Gate {
    private static final String VERSION = "vse-gate\t1";
    private static final String DEFAULT_TAG = ":latest";
    private static final Pattern MARK = Pattern.compile("\\{([a-z-]+)}");

    private final Map<String, GateKey> keys = new HashMap<>();
    private final Map<String, String> mistakes = new HashMap<>();
    private final Map<String, List<List<String>>> queues = new HashMap<>();
    private String noQueue = "";

    private Gate() {}

    /**
     * Reads a compiled policy.
     *
     * @throws VseException POLICY_INVALID for another version, or a file that was not written to its end
     */
    public static Gate read(String compiled) {
        List<String> lines = compiled.lines().toList();
        if (lines.isEmpty()
                || !lines.get(0).equals(VERSION)
                || !lines.get(lines.size() - 1).equals("end")) {
            throw VseException.of(ErrorCode.POLICY_INVALID, "not a whole compiled policy of version 1")
                    .next("vse policy compile");
        }
        Gate gate = new Gate();
        List<List<String>> queue = new ArrayList<>();
        for (String line : lines.subList(1, lines.size() - 1)) {
            if (line.startsWith("#")) {
                continue;
            }
            List<String> fields = new ArrayList<>();
            for (String field : line.split("\t", -1)) {
                fields.add(unescaped(field));
            }
            switch (fields.get(0)) {
                case "key" ->
                    gate.keys.put(
                            fields.get(1),
                            new GateKey(fields.get(2), fields.get(3), List.copyOf(fields.subList(4, fields.size()))));
                case "mistake" -> gate.mistakes.put(fields.get(1), fields.get(2));
                case "no-queue" -> gate.noQueue = fields.get(1);
                case "queue" -> {
                    queue = new ArrayList<>();
                    gate.queues.put(fields.get(1), queue);
                }
                default -> queue.add(fields);
            }
        }
        return gate;
    }

    /** The refusal as its user sees it; empty when the job passes. */
    public Optional<String> refusal(GateJob job) {
        GateHeader header = GateHeader.read(keys, job.file(), job.text());
        Map<String, String> marks = new HashMap<>();
        marks.put("lb", "{");
        marks.put("file", job.file());
        marks.put("queue", job.queue());
        marks.put("user", job.user());
        Optional<GateHeader.Mistake> mistake = header.mistake();
        if (mistake.isPresent()) {
            marks.put("key", mistake.get().key());
            marks.put("value", mistake.get().value());
            marks.put("at", mistake.get().at() + ": ");
            return Optional.of(filled(mistakes.getOrDefault(mistake.get().code(), ""), marks));
        }
        List<List<String>> lines = queues.get(job.queue());
        if (lines == null) {
            return header.isOurs() ? Optional.of(filled(noQueue, marks)) : Optional.empty();
        }
        boolean required = lines.stream().anyMatch(l -> l.get(0).equals("require"));
        return header.isOurs() || required ? new Case(job, header, lines, marks).refusal() : Optional.empty();
    }

    private static String unescaped(String field) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && i + 1 < field.length()) {
                i++;
                c = field.charAt(i);
                text.append(c == 't' ? '\t' : c == 'n' ? '\n' : c);
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    private static String filled(String text, Map<String, String> marks) {
        return MARK.matcher(text).replaceAll(found -> Matcher.quoteReplacement(marks.getOrDefault(found.group(1), "")));
    }

    /** One job before one queue. */
    private final class Case {
        private final GateJob job;
        private final GateHeader header;
        private final List<List<String>> lines;
        private final Map<String, String> marks;
        private final Map<String, String> texts = new HashMap<>();
        private final Map<String, String> places = new HashMap<>();

        private Case(GateJob job, GateHeader header, List<List<String>> lines, Map<String, String> marks) {
            this.job = job;
            this.header = header;
            this.lines = lines;
            this.marks = marks;
            boolean more = header.values().containsKey("vse");
            if (!more) {
                keys.forEach((word, key) -> texts.put(word, key.standard()));
                for (List<String> line : lines) {
                    if (line.get(0).equals("open")) {
                        texts.remove(line.get(1));
                    } else if (line.get(0).equals("value")) {
                        texts.put(line.get(1), line.get(2));
                        places.put(line.get(1), line.get(3));
                    }
                }
            }
            header.values().forEach((word, value) -> {
                texts.put(word, value.text());
                places.put(word, value.at());
            });
            lines.stream().filter(l -> l.get(0).equals("closed")).forEach(l -> texts.remove(l.get(1)));
            job.nodes().ifPresent(n -> texts.put("nodes", Integer.toString(n)));
            texts.values().removeIf(String::isEmpty);
            marks.putAll(texts);
        }

        private Optional<String> refusal() {
            boolean allowed = false;
            for (List<String> line : lines) {
                String glob = line.size() > 1 ? line.get(1) : "";
                boolean refused = switch (line.get(0)) {
                    case "users-deny" -> matches(glob, job.user());
                    case "groups-deny" -> job.groups().stream().anyMatch(g -> matches(glob, g));
                    case "users-allow", "groups-allow", "images-allow" -> {
                        allowed = allowed || allows(line.get(0), glob);
                        yield false;
                    }
                    case "users-else" -> {
                        boolean none = !allowed;
                        allowed = false;
                        yield none;
                    }
                    case "images-else" -> texts.containsKey("image") && !allowed;
                    case "images-deny" -> texts.containsKey("image") && matchesImage(glob, text("image"));
                    case "reserved" ->
                        header.values().containsKey(glob) && !text(glob).equals(line.get(2));
                    case "choice" ->
                        texts.containsKey(glob)
                                && !List.of(line.get(2).split(",", -1)).contains(text(glob));
                    case "most" -> isMore(glob.split(","), Double.parseDouble(line.get(2)));
                    default -> false;
                };
                if (refused) {
                    marks.put("at", place(line.get(0).startsWith("images") ? "image" : glob));
                    return Optional.of(filled(line.get(line.size() - 1), marks));
                }
            }
            boolean complete = !header.values().containsKey("vse")
                    && lines.stream()
                            .noneMatch(l -> isDecidedLater(l) && l.get(1).equals("image"));
            return complete && !texts.containsKey("image") ? Optional.of(imageMissing()) : Optional.empty();
        }

        private static boolean isDecidedLater(List<String> line) {
            return line.get(0).equals("open") || line.get(0).equals("closed");
        }

        private String imageMissing() {
            marks.put(
                    "at",
                    header.values().values().stream()
                            .findFirst()
                            .map(v -> v.at() + ": ")
                            .orElse(""));
            return filled(mistakes.getOrDefault("DIRECTIVE_IMAGE_MISSING", ""), marks);
        }

        private boolean allows(String kind, String glob) {
            return switch (kind) {
                case "users-allow" -> matches(glob, job.user());
                case "groups-allow" -> job.groups().stream().anyMatch(g -> matches(glob, g));
                default -> texts.containsKey("image") && matchesImage(glob, text("image"));
            };
        }

        private boolean isMore(String[] factors, double most) {
            double product = 1;
            for (String factor : factors) {
                if (!texts.containsKey(factor)) {
                    return false;
                }
                product *= GateKey.number(text(factor));
            }
            return product > most;
        }

        /** Of these keys the last one that the script gives, else the last one that anybody gives. */
        private String place(String words) {
            String mine = "";
            String any = "";
            for (String word : words.split(",")) {
                @Nullable String place = places.get(word);
                any = place == null ? any : place + ": ";
                mine = header.values().containsKey(word) ? place + ": " : mine;
            }
            return mine.isEmpty() ? any : mine;
        }

        private String text(String key) {
            return texts.getOrDefault(key, "");
        }
    }

    private static boolean matches(String glob, String name) {
        String regex = glob.chars()
                .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c)))
                .collect(Collectors.joining());
        return Pattern.matches(regex, name);
    }

    private static boolean matchesImage(String glob, String image) {
        int colon = image.indexOf(':');
        if (glob.indexOf(':') < 0) {
            return matches(glob, colon < 0 ? image : image.substring(0, colon));
        }
        return matches(glob, colon < 0 ? image + DEFAULT_TAG : image);
    }
}
