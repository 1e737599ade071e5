package org.vse.policy.layer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobScript;
import org.vse.yaml.YamlReader;
import org.vse.yaml.YamlValue;

/** The files that a script names with {@code vse=}, and those that these extend: docs/policy.md, descriptions. */
public final class DescriptionFiles {
    /** Largest file, bytes of UTF-8. */
    public static final int MAX_BYTES = 1 << 16;

    /** Most files of one script. */
    public static final int MOST = 8;

    private static final String CORRECT = "correct the path; a relative one begins in the job's directory";
    private static final Pattern FILE = Pattern.compile("[!-~]{1,1024}");
    private static final List<String> KNOWN = known();

    private DescriptionFiles() {}

    /** Where the texts of files come from. */
    @FunctionalInterface
    public interface Source {
        /**
         * The text of a file.
         *
         * @throws VseException when there is none; its position is set by the caller
         */
        String text(Path file);
    }

    /**
     * The layers of a script's files, the farthest ancestor first; none when the script names no file.
     *
     * @param directory absolute; where relative paths of the script begin. Those in files begin where the file is
     * @throws VseException DESCRIPTION_INVALID for a file that is wrong, missing, or extends itself, or what the source throws,
     *     with file, line and column
     */
    public static List<Layer> layers(JobScript script, Path directory, Source source) {
        return script.settings()
                .get(DirectiveKey.VSE)
                .map(s -> layers(new Fields.Located(s.text(), s.position()), directory, source))
                .orElse(List.of());
    }

    /**
     * The layers of a file and of those that it extends.
     *
     * @param file absolute
     * @throws VseException as above
     */
    public static List<Layer> layers(Path file, Source source) {
        Path directory = Optional.ofNullable(file.getParent()).orElse(file);
        SourcePosition start = new SourcePosition(file.toString(), 1, 1);
        return layers(new Fields.Located(file.toString(), start), directory, source);
    }

    private static List<Layer> layers(Fields.Located first, Path directory, Source source) {
        List<Layer> layers = new ArrayList<>();
        List<Path> read = new ArrayList<>();
        Path from = directory;
        Optional<Fields.Located> next = Optional.of(first);
        while (next.isPresent()) {
            Path file = from.resolve(next.get().text()).normalize();
            requireNew(file, read, next.get().at());
            String text = text(source, file, next.get().at());
            Mistakes mistakes = new Mistakes(ErrorCode.DESCRIPTION_INVALID);
            YamlValue value = YamlReader.read(file.toString(), text, ErrorCode.DESCRIPTION_INVALID, MAX_BYTES);
            SettingsReader reader = new SettingsReader(mistakes);
            Optional<Fields> fields = Fields.of("the description", value, KNOWN, mistakes);
            next = fields.flatMap(f -> f.text("extends", FILE, "the path of a file"));
            layers.add(
                    0,
                    fields.map(f -> layer(f, reader))
                            .orElseGet(
                                    () -> new Layer("description", Layer.Change.NOTHING, Map.of(), List.of(), true)));
            mistakes.throwFirst();
            read.add(file);
            from = Optional.ofNullable(file.getParent()).orElse(directory);
        }
        return layers;
    }

    /** The reason of {@link #unreadable} where the user has no right to read. */
    public static final String DENIED = "permission denied";

    /** What is said about a file that is not there, or that the user cannot reach. */
    public static VseException missing(Path file) {
        return VseException.of(ErrorCode.DESCRIPTION_INVALID, "there is no file '" + file + "'")
                .next(CORRECT);
    }

    /** What is said about a directory, a pipe, a device. */
    public static VseException notAFile(Path file) {
        return VseException.of(ErrorCode.DESCRIPTION_INVALID, "'" + file + "' is not a file")
                .next(CORRECT);
    }

    /** What is said about a file that is there and cannot be read. */
    public static VseException unreadable(Path file, String reason) {
        return VseException.of(ErrorCode.DESCRIPTION_INVALID, "'" + file + "' cannot be read")
                .fact("reason", reason);
    }

    private static Layer layer(Fields fields, SettingsReader reader) {
        return new Layer(
                "description",
                reader.change(fields),
                reader.reserved(fields, SettingsReader.KEYS),
                reader.variants(fields),
                true);
    }

    private static String text(Source source, Path file, SourcePosition at) {
        try {
            return source.text(file);
        } catch (VseException refused) {
            throw refused.where() == null ? refused.at(at.toString()) : refused;
        }
    }

    private static void requireNew(Path file, List<Path> read, SourcePosition at) {
        if (read.contains(file)) {
            List<String> circle =
                    new ArrayList<>(read.stream().map(Path::toString).toList());
            circle.add(file.toString());
            throw VseException.of(ErrorCode.DESCRIPTION_INVALID, "descriptions extend each other in a circle")
                    .at(at.toString())
                    .fact("circle", String.join(" → ", circle))
                    .next("remove one 'extends'");
        }
        if (read.size() == MOST) {
            throw VseException.of(ErrorCode.DESCRIPTION_INVALID, "too many descriptions extend each other")
                    .at(at.toString())
                    .fact("allowed", MOST)
                    .next("write fewer files");
        }
    }

    private static List<String> known() {
        List<String> known = new ArrayList<>(List.of("extends", "reserved", "variants"));
        known.addAll(SettingsReader.WRITTEN);
        return List.copyOf(known);
    }
}
