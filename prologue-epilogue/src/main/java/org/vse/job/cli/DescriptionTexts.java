package org.vse.job.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vse.policy.ScriptText;
import org.vse.policy.layer.DescriptionFiles;

/** Reads the files that a script names, with the rights of whoever calls, and keeps their texts for the daemon. */
final class DescriptionTexts implements DescriptionFiles.Source {
    private final Map<Path, String> texts = new LinkedHashMap<>();

    @Override
    public String text(Path file) {
        if (!Files.isRegularFile(file)) {
            throw Files.exists(file) ? DescriptionFiles.notAFile(file) : DescriptionFiles.missing(file);
        }
        try (InputStream in = Files.newInputStream(file)) {
            String text = ScriptText.utf8(file.toString(), in.readNBytes(DescriptionFiles.MAX_BYTES + 1));
            texts.put(file, text);
            return text;
        } catch (AccessDeniedException e) {
            throw DescriptionFiles.unreadable(file, DescriptionFiles.DENIED).because(e);
        } catch (IOException e) {
            throw DescriptionFiles.unreadable(file, String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /** As members of a submission, docs/api.md. */
    List<Map<String, String>> sent() {
        return texts.entrySet().stream()
                .map(e -> Map.of("name", e.getKey().toString(), "text", e.getValue()))
                .toList();
    }
}
