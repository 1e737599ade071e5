package org.vse.provisioner.accelerator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.vse.failure.VseException;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * What probes of a host have shown. A guest that booted under KVM speaks for every kernel; one that did not speaks for its
 * own kernel only, which may be what is wrong.
 *
 * @param host what the results hold for
 * @param results oldest first, at most one for each kernel
 */
public record ProbeRecord(ProbeHost host, List<Result> results) {
    /** Name of the file in the state directory. */
    public static final String FILE = "accelerator.json";

    private static final int MAX_RESULTS = 64;
    private static final long MAX_BYTES = 1 << 18;
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    /**
     * One probe.
     *
     * @param kernel as in {@link ProbeGuest}
     * @param evidence what was seen, one line
     * @param at when, ISO 8601
     */
    public record Result(String kernel, Accelerator accelerator, String evidence, String at) {
        public Result {
            Objects.requireNonNull(kernel);
            Objects.requireNonNull(accelerator);
            Objects.requireNonNull(evidence);
            Objects.requireNonNull(at);
        }
    }

    public ProbeRecord {
        Objects.requireNonNull(host);
        results = List.copyOf(results);
    }

    /** What is known for this kernel on this host; empty when a probe has to find out. */
    public Optional<Result> known(ProbeHost now, String kernel) {
        if (!host.equals(now)) {
            return Optional.empty();
        }
        return results.stream()
                .filter(result -> result.accelerator() == Accelerator.KVM)
                .findFirst()
                .or(() -> results.stream()
                        .filter(result -> result.kernel().equals(kernel))
                        .findFirst());
    }

    /** What is known for most kernels: KVM when any guest booted under it, else the latest result. */
    public Optional<Result> latest(ProbeHost now) {
        return results.isEmpty()
                ? Optional.empty()
                : known(now, results.get(results.size() - 1).kernel());
    }

    /** With one more result; those of another host, and the oldest of many, are dropped. */
    ProbeRecord with(ProbeHost now, Result result) {
        List<Result> all = new ArrayList<>(host.equals(now) ? results : List.of());
        all.removeIf(old -> old.kernel().equals(result.kernel()));
        all.add(result);
        return new ProbeRecord(now, all.subList(Math.max(0, all.size() - MAX_RESULTS), all.size()));
    }

    /**
     * Reads a record; a damaged one is like none, because a probe replaces it.
     *
     * @throws VseException STORAGE_FAILED when there is a file that cannot be read
     */
    public static Optional<ProbeRecord> read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                return Optional.empty();
            }
            return Optional.ofNullable(JSON.readValue(Files.readAllBytes(file), ProbeRecord.class));
        } catch (NoSuchFileException | JsonProcessingException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** Whole or not at all; a crash of the host loses it at worst, and a probe makes it again. */
    void write(Path file) {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            Files.write(part, JSON.writeValueAsBytes(this));
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private static VseException failed(Path file, IOException e) {
        return VseException.storage("what is known about KVM cannot be kept", file, e);
    }
}
