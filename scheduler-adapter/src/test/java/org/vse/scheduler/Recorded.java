package org.vse.scheduler;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** One job of a real batch system as its hooks saw it: a file of the tests' resources. */
public record Recorded(String name, JsonNode tree) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static Recorded read(String directory, String name) {
        String path = "/org/vse/scheduler/" + directory + "/" + name + ".json";
        try (InputStream in = Objects.requireNonNull(Recorded.class.getResourceAsStream(path), path)) {
            return new Recorded(name, JSON.readTree(in));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public HookCall call(HookPoint point) {
        JsonNode call = tree.path(point.word());
        return new HookCall(
                point,
                JSON.convertValue(call.path("arguments"), new TypeReference<List<String>>() {}),
                JSON.convertValue(call.path("environment"), new TypeReference<Map<String, String>>() {}),
                call.path("input").asText(""));
    }

    /** What stands at the sources that a dialect asks for; a command is written as its words, a file as its path. */
    public Map<Source, String> contents(List<Source> sources) {
        Map<Source, String> contents = new HashMap<>();
        for (Source source : sources) {
            String key = source instanceof Source.File file
                    ? file.path()
                    : String.join(" ", ((Source.Answer) source).argv());
            contents.put(
                    source,
                    Objects.requireNonNull(tree.path("answers").get(key), key).textValue());
        }
        return contents;
    }

    JsonNode expected(String member) {
        return Objects.requireNonNull(tree.path("expected").get(member), member);
    }

    @Override
    public String toString() {
        return name + ": " + tree.path("what").asText();
    }
}
