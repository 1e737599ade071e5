package org.vse.provisioner.fake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/**
 * What a fake machine is, between two processes.
 *
 * @param started when, so that usage grows across drivers
 * @param channels host file by channel name
 */
record MachineFile(
        VmName name,
        VmLabel label,
        VmStatus.State state,
        Instant started,
        long memoryBytes,
        String commandLine,
        Path console,
        Map<String, Path> channels) {
    private static final ObjectMapper JSON = new ObjectMapper();

    MachineFile {
        channels = Map.copyOf(channels);
    }

    static MachineFile of(VmSpec spec) {
        Map<String, Path> channels = new LinkedHashMap<>();
        spec.channels().forEach(channel -> channels.put(channel.name(), channel.file()));
        return new MachineFile(
                spec.name(),
                spec.label(),
                VmStatus.State.RUNNING,
                Instant.now(),
                spec.memoryBytes(),
                spec.boot() instanceof VmSpec.Boot.Direct direct ? direct.commandLine() : "",
                spec.console(),
                channels);
    }

    VmStatus status() {
        return new VmStatus(name, label, state, "");
    }

    MachineFile in(VmStatus.State newState) {
        return new MachineFile(name, label, newState, started, memoryBytes, commandLine, console, channels);
    }

    /** This machine, saved, as what it is from now on. */
    MachineFile as(VmSpec spec) {
        MachineFile anew = of(spec);
        return new MachineFile(
                anew.name,
                anew.label,
                VmStatus.State.PAUSED,
                started,
                memoryBytes,
                commandLine,
                anew.console,
                anew.channels);
    }

    /** Replaces the file of this name in the directory, atomically. */
    void writeTo(Path directory) {
        Path target = at(directory, name);
        Path draft = target.resolveSibling(name + ".new");
        try {
            Files.writeString(draft, text());
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes it to a file that must not be there. */
    void saveTo(Path file) {
        try {
            Files.writeString(file, text(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw VseException.of(ErrorCode.JOB_STATE, "there is a file where a machine's memory is to be")
                    .at(file.toString())
                    .because(e);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the memory of a machine cannot be written")
                    .at(file.toString())
                    .because(e);
        }
    }

    private String text() {
        ObjectNode json = JSON.createObjectNode();
        json.put("name", name.value());
        json.put("owner", label.owner());
        json.put("job", label.job());
        json.put("attempt", label.attempt());
        json.put("index", label.index());
        json.put("state", state.name());
        json.put("started", started.toString());
        json.put("memoryBytes", memoryBytes);
        json.put("commandLine", commandLine);
        json.put("console", console.toString());
        ObjectNode files = json.putObject("channels");
        channels.forEach((channel, file) -> files.put(channel, file.toString()));
        return json.toString();
    }

    static Optional<MachineFile> read(Path directory, VmName name) {
        try {
            return Optional.of(parse(Files.readString(at(directory, name))));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What {@link #saveTo} wrote. */
    static MachineFile saved(Path file) {
        try {
            return parse(Files.readString(file));
        } catch (IOException | IllegalArgumentException | NullPointerException e) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "the file is not the saved memory of a machine")
                    .at(file.toString())
                    .because(e);
        }
    }

    private static MachineFile parse(String text) throws IOException {
        JsonNode json = JSON.readTree(text);
        Map<String, Path> channels = new LinkedHashMap<>();
        json.get("channels")
                .properties()
                .forEach(each ->
                        channels.put(each.getKey(), Path.of(each.getValue().asText())));
        return new MachineFile(
                new VmName(json.get("name").asText()),
                new VmLabel(
                        json.get("owner").asText(),
                        json.get("job").asText(),
                        json.get("attempt").asInt(),
                        json.get("index").asInt()),
                VmStatus.State.valueOf(json.get("state").asText()),
                Instant.parse(json.get("started").asText()),
                json.get("memoryBytes").asLong(),
                json.get("commandLine").asText(),
                Path.of(json.get("console").asText()),
                channels);
    }

    /**
     * Removes a machine, in one step.
     *
     * @param past directory that keeps it as one that has ended; null for none
     * @return false when there was none
     */
    static boolean end(Path directory, VmName name, @Nullable Path past) {
        try {
            Path file = at(directory, name);
            if (past == null) {
                return Files.deleteIfExists(file);
            }
            Files.move(file, past.resolve(UUID.randomUUID() + ".json"), StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What {@link #end} has kept: a file changed last when it was moved. */
    static List<FakeDriver.Ran> ended(Path past) {
        List<FakeDriver.Ran> ran = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(past)) {
            for (Path file : files) {
                MachineFile machine = parse(Files.readString(file));
                FileTime moved = (FileTime) Files.getAttribute(file, "unix:ctime");
                ran.add(new FakeDriver.Ran(machine.label(), machine.started(), moved.toInstant()));
            }
            return ran;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path at(Path directory, VmName name) {
        return directory.resolve(name + ".json");
    }
}
