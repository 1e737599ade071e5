package org.vse.imagestore.recipe;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.vse.failure.VseException;
import org.vse.imagestore.Provides;
import org.vse.imagestore.recipe.Recipe.GuestFile;
import org.vse.imagestore.recipe.Recipe.Initramfs;
import org.vse.imagestore.recipe.Recipe.KernelRecipe;
import org.vse.yaml.YamlValue;

/** Reads recipes. Every error is RECIPE_INVALID with file, line and column. */
public final class RecipeParser {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");
    private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9+.-]{1,127}");
    private static final Pattern GUEST_PATH = Pattern.compile("(/[\\w.@:+-]+)+");
    private static final Pattern GUEST_PATTERN = Pattern.compile("(/[\\w.@:+*-]+)+");
    private static final Pattern LINK_TARGET = Pattern.compile("[\\w.@:+/-]{1,255}");
    static final Pattern HOST_PATH = Pattern.compile("[\\w.@+-]+(/[\\w.@+-]+)*");
    private static final Pattern MODE = Pattern.compile("0?[0-7]{3}");
    private static final Pattern MODULE = Pattern.compile("[a-zA-Z0-9_-]{1,64}");
    private static final Pattern COMMAND_LINE = Pattern.compile("[\\x20-\\x7e]{1,1024}");
    private static final Pattern SIZE = Pattern.compile("[1-9][0-9]{0,5}(MiB|GiB)");
    private static final Pattern LABEL = Pattern.compile("[a-z][a-z0-9.-]{0,63}");
    private static final Pattern LABEL_TEXT = Pattern.compile("\\P{C}{0,500}");
    private static final Pattern SHARE = Pattern.compile("nfs|9p");

    private final Path source;

    private RecipeParser(Path source) {
        this.source = source.toAbsolutePath().normalize();
    }

    /**
     * Reads a recipe and those that it extends.
     *
     * @throws VseException RECIPE_INVALID
     */
    public static Recipe parse(Path file) {
        return new RecipeParser(file).recipe(RecipeLayers.read(file));
    }

    /** The same with the text given; files that it names are looked for beside {@code file}. */
    public static Recipe parse(Path file, String text) {
        return new RecipeParser(file).recipe(RecipeLayers.read(file, text));
    }

    private Recipe recipe(YamlValue root) {
        Fields top = Fields.of(
                "the recipe",
                root,
                ordered(
                        RecipeLayers.EXTENDS,
                        "name",
                        "tag",
                        "labels",
                        "size",
                        "suite",
                        "variant",
                        "packages",
                        "exclude",
                        "remove",
                        "files",
                        "init",
                        "initramfs",
                        "kernels"));
        List<KernelRecipe> kernels = top.each("kernels", this::kernel);
        if (kernels.isEmpty()) {
            throw top.invalid("kernels", "'kernels' must name at least one kernel");
        }
        Set<String> names = new HashSet<>();
        kernels.forEach(kernel -> {
            if (!names.add(kernel.name())) {
                throw top.invalid("kernels", "two kernels are named '" + kernel.name() + "'");
            }
        });
        return new Recipe(
                source,
                top.text("name", NAME),
                top.text("tag", NAME, "latest"),
                size(top),
                top.text("suite", NAME),
                top.text("variant", NAME, "minbase"),
                top.texts("packages", PACKAGE),
                stages(top),
                top.texts("exclude", GUEST_PATTERN),
                guestPaths(top, "remove", top.texts("remove", GUEST_PATTERN)),
                top.each("files", this::file),
                guestPath(top, "init"),
                initramfs(top.required("initramfs")),
                kernels,
                top.textMap("labels", LABEL, LABEL_TEXT));
    }

    /** An item of a list knows the file that it was written in. Without a package of its own no recipe makes a stage. */
    private static List<Recipe.Stage> stages(Fields top) {
        List<YamlValue> packages = top.each("packages", value -> value);
        List<YamlValue> excludes = top.each("exclude", value -> value);
        List<String> files =
                packages.stream().map(item -> item.at().file()).distinct().toList();
        List<Recipe.Stage> stages = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            String file = files.get(i);
            List<String> until = files.subList(0, i + 1);
            boolean isLast = i == files.size() - 1;
            stages.add(new Recipe.Stage(
                    texts(packages, item -> item.at().file().equals(file)),
                    texts(excludes, item -> isLast || until.contains(item.at().file()))));
        }
        return stages.isEmpty() ? List.of(new Recipe.Stage(List.of(), texts(excludes, item -> true))) : stages;
    }

    private static List<String> texts(List<YamlValue> items, Predicate<YamlValue> wanted) {
        return items.stream()
                .filter(wanted)
                .filter(YamlValue.Scalar.class::isInstance)
                .map(item -> ((YamlValue.Scalar) item).text())
                .toList();
    }

    private static long size(Fields top) {
        String text = top.text("size", SIZE);
        int unit = text.endsWith("GiB") ? 30 : 20;
        return Long.parseLong(text.substring(0, text.length() - 3)) << unit;
    }

    private Initramfs initramfs(YamlValue value) {
        Fields fields = Fields.of("initramfs", value, ordered("busybox", "init"));
        return new Initramfs(guestPath(fields, "busybox"), hostFile(fields, "init"));
    }

    private KernelRecipe kernel(YamlValue value) {
        Fields fields = Fields.of(
                "a kernel",
                value,
                ordered("name", "package", "provides", "command-line", "unpacked", "early", "modules"));
        Set<Provides> provides = EnumSet.noneOf(Provides.class);
        fields.texts("provides", SHARE).forEach(word -> Provides.of(word).ifPresent(provides::add));
        return new KernelRecipe(
                fields.text("name", NAME),
                fields.text("package", PACKAGE),
                provides,
                fields.text("command-line", COMMAND_LINE).strip(),
                fields.truth("unpacked", false),
                fields.texts("early", MODULE),
                fields.texts("modules", MODULE));
    }

    private GuestFile file(YamlValue value) {
        Fields fields = Fields.of("a file", value, ordered("to", "from", "link", "directory", "mode"));
        String to = guestPath(fields, "to");
        Optional<String> mode = fields.has("mode") ? Optional.of(fields.text("mode", MODE)) : Optional.empty();
        if (fields.has("from") && !fields.has("link") && !fields.has("directory")) {
            return new GuestFile.Copy(to, hostFile(fields, "from"), Integer.parseInt(mode.orElse("644"), 8));
        }
        if (fields.has("link") && !fields.has("from") && !fields.has("directory") && mode.isEmpty()) {
            return new GuestFile.Link(to, fields.text("link", LINK_TARGET));
        }
        if (fields.truth("directory", false) && !fields.has("from") && !fields.has("link")) {
            return new GuestFile.Directory(to, Integer.parseInt(mode.orElse("755"), 8));
        }
        throw fields.invalid("to", "a file has either 'from', or 'link' without 'mode', or 'directory: true'");
    }

    private static String guestPath(Fields fields, String key) {
        return guestPaths(fields, key, List.of(fields.text(key, GUEST_PATH))).get(0);
    }

    private static List<String> guestPaths(Fields fields, String key, List<String> paths) {
        for (String path : paths) {
            for (String element : path.split("/", -1)) {
                if (element.equals(".") || element.equals("..")) {
                    throw fields.invalid(key, "'" + path + "' contains '" + element + "'");
                }
            }
        }
        return paths;
    }

    /** Beside or below the file that names it, which for what was inherited is not the recipe. */
    private static Path hostFile(Fields fields, String key) {
        String text = fields.text(key, HOST_PATH);
        Path directory = Path.of(fields.required(key).at().file())
                .toAbsolutePath()
                .normalize()
                .resolveSibling("");
        Path path = directory.resolve(text).normalize();
        if (!path.startsWith(directory)) {
            throw fields.invalid(key, "'" + text + "' is not beside or below the recipe");
        }
        if (!Files.isRegularFile(path)) {
            throw fields.invalid(key, "there is no file '" + text + "' beside the recipe")
                    .fact("looked for", path);
        }
        return path;
    }

    private static Set<String> ordered(String... keys) {
        return new LinkedHashSet<>(List.of(keys));
    }
}
