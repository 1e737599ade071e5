package org.vse.job.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobRecord;

/**
 * What a caller asks to be run, as it came; nothing in it has been believed yet.
 *
 * @param script null for an interactive job
 * @param user whom to run as, for root only; null for the caller
 * @param image of an interactive job; null otherwise
 * @param terminal of an interactive job; null otherwise
 * @param descriptions the files that the script names with {@code vse=}, read by the caller
 */
record Submission(
        @Nullable Script script,
        List<String> args,
        @Nullable String user,
        String cwd,
        Map<String, String> environment,
        boolean interactive,
        @Nullable String image,
        JobRecord.@Nullable Terminal terminal,
        List<Script> descriptions) {

    Submission {
        descriptions = descriptions == null ? List.of() : List.copyOf(descriptions);
        args = args == null ? List.of() : List.copyOf(args);
        environment = environment == null ? Map.of() : Map.copyOf(environment);
        if (cwd == null || !cwd.startsWith("/") || cwd.indexOf('\0') >= 0) {
            throw bad("'cwd' must be an absolute path");
        }
        if (interactive ? image == null || script != null : script == null || image != null) {
            throw bad("a submission has a 'script', or is 'interactive' and has an 'image'");
        }
        if (terminal != null && (!within(terminal.rows()) || !within(terminal.columns()) || terminal.type() == null)) {
            throw bad("'terminal' needs rows and columns from 1 to 10000 and a type");
        }
        environment.forEach((name, value) -> {
            if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf('\0') >= 0 || value.indexOf('\0') >= 0) {
                throw bad("'environment' has a name or value that no environment can hold");
            }
        });
        if (args.stream().anyMatch(arg -> arg.indexOf('\0') >= 0)) {
            throw bad("'args' has a value that no argument can hold");
        }
    }

    /**
     * A job script, or a description.
     *
     * @param name absolute path that the user gave; for messages and {@code $0} only, never opened
     */
    record Script(String name, String text) {
        Script {
            if (name == null || name.isEmpty() || name.indexOf('\0') >= 0 || text == null) {
                throw bad("'script' needs a name and a text");
            }
        }
    }

    /**
     * The text of a file that the script names.
     *
     * @throws VseException DESCRIPTION_INVALID when it was not sent
     */
    String description(Path file) {
        return descriptions.stream()
                .filter(sent -> sent.name().equals(file.toString()))
                .map(Script::text)
                .findFirst()
                .orElseThrow(() -> VseException.of(
                                ErrorCode.DESCRIPTION_INVALID, "'" + file + "' did not come with the script")
                        .next("write its keys as #VSE lines, or submit with 'vse run', which reads it as you"));
    }

    static Submission of(JsonNode body, ObjectMapper json) {
        if (!body.isObject()) {
            throw bad("the submission is not a JSON object");
        }
        try {
            return json.treeToValue(body, Submission.class);
        } catch (JsonProcessingException e) {
            if (e.getCause() instanceof VseException failure) {
                throw failure;
            }
            throw bad("the submission cannot be read").fact("reason", e.getOriginalMessage());
        } catch (IllegalArgumentException e) {
            throw bad("the submission cannot be read").fact("reason", String.valueOf(e.getMessage()));
        }
    }

    private static boolean within(int size) {
        return size >= 1 && size <= 10_000;
    }

    private static VseException bad(String what) {
        return VseException.of(ErrorCode.USAGE, what).next("see docs/api.md, submission");
    }
}
