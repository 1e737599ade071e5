package org.vse.job.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.ScriptText;

/**
 * A job script as it is submitted.
 *
 * @param name absolute path, as the user wrote it, symbolic links not resolved
 * @param text the whole script
 */
record ScriptFile(Path name, String text) {
    static final int MAX_BYTES = ScriptText.MAX_BYTES;

    /** @throws VseException SCRIPT_UNREADABLE with the reason; nothing but a regular file of UTF-8 text is read */
    static ScriptFile read(String script, Path cwd) {
        Path name = cwd.resolve(script.startsWith("./") ? script.substring(2) : script);
        if (!Files.exists(name)) {
            throw refused(name, "there is no file '" + script + "'");
        }
        if (!Files.isRegularFile(name)) {
            throw refused(name, "'" + script + "' is " + (Files.isDirectory(name) ? "a directory" : "not a file"));
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(name)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw refused(name, "'" + script + "' cannot be read")
                    .fact("reason", e.getClass().getSimpleName())
                    .because(e);
        }
        return new ScriptFile(name, ScriptText.decode(script, bytes));
    }

    private static VseException refused(Path name, String what) {
        return VseException.of(ErrorCode.SCRIPT_UNREADABLE, what).fact("path", name);
    }
}
