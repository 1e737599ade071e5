package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The modules of one kernel version, as depmod(8) found them in {@code modules.dep} and {@code modules.builtin}.
 */
final class KernelModules {
    private final Path directory;
    private final Map<String, String> paths = new HashMap<>();
    private final Map<String, List<String>> needs = new HashMap<>();
    private final Set<String> builtIn = new HashSet<>();

    private KernelModules(Path directory) {
        this.directory = directory;
    }

    /** @param directory {@code lib/modules/VERSION} */
    static KernelModules in(Path directory) throws IOException {
        KernelModules modules = new KernelModules(directory);
        for (String line : Files.readAllLines(directory.resolve("modules.dep"))) {
            int colon = line.indexOf(':');
            String path = line.substring(0, colon);
            modules.paths.put(name(path), path);
            List<String> needs = new ArrayList<>(
                    Arrays.asList(line.substring(colon + 1).strip().split("\\s+")));
            needs.removeIf(String::isEmpty);
            Collections.reverse(needs);
            modules.needs.put(
                    name(path), needs.stream().map(KernelModules::name).toList());
        }
        Path builtIn = directory.resolve("modules.builtin");
        if (Files.exists(builtIn)) {
            Files.readAllLines(builtIn).forEach(path -> modules.builtIn.add(name(path)));
        }
        return modules;
    }

    /**
     * The version that a kernel package brought: {@code linux-image-6.1.0-1-amd64} brings that version, a metapackage
     * {@code linux-image-amd64} the one whose version is a number followed by its flavour.
     *
     * @param boot directory of {@code vmlinuz-VERSION}
     * @return all candidates; right is exactly one
     */
    static List<String> versions(Path boot, String packageName) throws IOException {
        String flavour = packageName.replaceFirst("^linux-image-", "");
        Pattern version = Pattern.compile("[0-9][0-9A-Za-z.+~]*(-[0-9]+)*-" + Pattern.quote(flavour));
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> kernels = Files.newDirectoryStream(boot, "vmlinuz-*")) {
            for (Path kernel : kernels) {
                String candidate = kernel.getFileName().toString().substring("vmlinuz-".length());
                if (candidate.equals(flavour) || version.matcher(candidate).matches()) {
                    found.add(candidate);
                }
            }
        }
        return found;
    }

    boolean has(String module) {
        return paths.containsKey(name(module)) || builtIn.contains(name(module));
    }

    /** Files of these modules and of all that they need, each after what it needs; built-in ones have no file. */
    List<Path> closure(Collection<String> modules) {
        Set<String> ordered = new LinkedHashSet<>();
        for (String module : modules) {
            String name = name(module);
            if (paths.containsKey(name)) {
                ordered.addAll(needs.getOrDefault(name, List.of()));
                ordered.add(name);
            }
        }
        return ordered.stream()
                .map(name -> directory.resolve(paths.getOrDefault(name, name)))
                .toList();
    }

    private static String name(String path) {
        String file = path.substring(path.lastIndexOf('/') + 1);
        int dot = file.indexOf(".ko");
        return (dot < 0 ? file : file.substring(0, dot)).replace('-', '_');
    }
}
