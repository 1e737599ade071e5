package org.vse.imagestore.recipe;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.yaml.YamlReader;
import org.vse.yaml.YamlValue;

/**
 * A recipe and those that it extends, laid over each other. A key of the nearer file replaces that of the farther one, with
 * two exceptions: items of {@code packages}, {@code exclude}, {@code remove} and {@code files} are added after those
 * inherited, each once, and {@code labels} are replaced one by one. Every value keeps the place where it was written.
 */
final class RecipeLayers {
    /** The key that names the recipe below. */
    static final String EXTENDS = "extends";

    /** A longer recipe is refused before it is read. */
    static final int MAX_BYTES = 1 << 20;

    private static final int MAX_LAYERS = 16;
    private static final List<String> ADDED = List.of("packages", "exclude", "remove", "files");
    private static final String MERGED = "labels";

    private final List<Path> above = new ArrayList<>();

    private RecipeLayers() {}

    static YamlValue read(Path file) {
        return new RecipeLayers().layered(file, text(file));
    }

    static YamlValue read(Path file, String text) {
        return new RecipeLayers().layered(file, text);
    }

    private YamlValue layered(Path file, String text) {
        above.add(file.toAbsolutePath().normalize());
        YamlValue own = YamlReader.read(file.toString(), text, ErrorCode.RECIPE_INVALID, MAX_BYTES);
        if (!(own instanceof YamlValue.Mapping mapping)) {
            return own;
        }
        YamlValue.@Nullable Entry below = mapping.entries().get(EXTENDS);
        return below == null ? own : over(mapping, parent(file, below.value()));
    }

    private YamlValue parent(Path file, YamlValue named) {
        if (!(named instanceof YamlValue.Scalar scalar)
                || !RecipeParser.HOST_PATH.matcher(scalar.text()).matches()) {
            throw Fields.invalid(named.at(), "'" + EXTENDS + "' must be the path of a recipe beside or below this one")
                    .fact("found", named.kind());
        }
        Path directory = file.toAbsolutePath().normalize().resolveSibling("");
        Path path = directory.resolve(scalar.text()).normalize();
        if (!path.startsWith(directory)) {
            throw Fields.invalid(named.at(), "'" + scalar.text() + "' is not beside or below the recipe");
        }
        if (above.contains(path)) {
            throw Fields.invalid(named.at(), "recipes extend each other in a circle")
                    .fact(
                            "circle",
                            String.join(
                                            " -> ",
                                            above.stream().map(Path::toString).toList()) + " -> " + path);
        }
        if (above.size() >= MAX_LAYERS) {
            throw Fields.invalid(named.at(), "more than " + MAX_LAYERS + " recipes extend each other");
        }
        if (!Files.isRegularFile(path)) {
            throw Fields.invalid(named.at(), "there is no recipe '" + scalar.text() + "' to extend")
                    .fact("looked for", path);
        }
        return layered(file.resolveSibling(scalar.text()), text(path));
    }

    private static YamlValue over(YamlValue.Mapping near, YamlValue far) {
        if (!(far instanceof YamlValue.Mapping inherited)) {
            return far;
        }
        Map<String, YamlValue.Entry> entries = new LinkedHashMap<>(inherited.entries());
        near.entries().forEach((key, entry) -> {
            YamlValue.@Nullable Entry before = entries.get(key);
            entries.put(key, before == null ? entry : new YamlValue.Entry(joined(key, before, entry), entry.at()));
        });
        return new YamlValue.Mapping(entries, near.at());
    }

    private static YamlValue joined(String key, YamlValue.Entry far, YamlValue.Entry near) {
        if (ADDED.contains(key)
                && far.value() instanceof YamlValue.Sequence first
                && near.value() instanceof YamlValue.Sequence then) {
            List<YamlValue> items = new ArrayList<>(first.items());
            then.items().stream().filter(item -> !has(first, item)).forEach(items::add);
            return new YamlValue.Sequence(List.copyOf(items), near.value().at());
        }
        if (key.equals(MERGED)
                && far.value() instanceof YamlValue.Mapping first
                && near.value() instanceof YamlValue.Mapping then) {
            Map<String, YamlValue.Entry> entries = new LinkedHashMap<>(first.entries());
            entries.putAll(then.entries());
            return new YamlValue.Mapping(entries, near.value().at());
        }
        return near.value();
    }

    /** What is inherited already is no item given twice. */
    private static boolean has(YamlValue.Sequence inherited, YamlValue item) {
        return item instanceof YamlValue.Scalar wanted
                && inherited.items().stream()
                        .anyMatch(each -> each instanceof YamlValue.Scalar there
                                && there.text().equals(wanted.text()));
    }

    private static String text(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw Fields.invalid(new SourcePosition(file.toString(), 1, 1), "a recipe of " + size + " bytes")
                        .fact("at most", MAX_BYTES);
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw Fields.invalid(new SourcePosition(file.toString(), 1, 1), "the file is not UTF-8 text")
                    .because(e);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.RECIPE_INVALID, "recipe '" + file + "' cannot be read")
                    .fact("reason", e)
                    .because(e);
        }
    }
}
