package org.vse.job.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.ScriptText;
import org.vse.policy.layer.DescriptionFiles;

/** Reads the files that a script names, with the rights of whoever calls, and keeps their texts for the daemon. */
final class DescriptionTexts implements DescriptionFiles.Source {
    private final Map<Path, String> texts = new LinkedHashMap<>();

    @Override
    public String text(Path file) {
        if (!Files.isRegularFile(file)) {
            throw VseException.of(
                            ErrorCode.DESCRIPTION_INVALID,
                            (Files.exists(file) ? "'" + file + "' is not a file" : "there is no file '" + file + "'"))
                    .next("correct the path; it begins in the directory where the job is submitted");
        }
        try (InputStream in = Files.newInputStream(file)) {
            String text = ScriptText.utf8(file.toString(), in.readNBytes(DescriptionFiles.MAX_BYTES + 1));
            texts.put(file, text);
            return text;
        } catch (IOException e) {
            throw VseException.of(ErrorCode.DESCRIPTION_INVALID, "'" + file + "' cannot be read")
                    .fact("reason", e.getClass().getSimpleName())
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
