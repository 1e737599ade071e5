package org.vse.provisioner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the host's logical processors are, as the kernel tells it (Documentation/ABI: sysfs-devices-system-cpu and
 * sysfs-devices-node).
 *
 * @param processors ascending by number
 */
public record HostTopology(List<Processor> processors) {
    private static final Pattern CPU = Pattern.compile("cpu([0-9]{1,5})");
    private static final Pattern NODE = Pattern.compile("node([0-9]{1,5})");

    /**
     * One logical processor, which batch systems call a core.
     *
     * @param memory number of the NUMA node whose memory is nearest
     * @param core number of the physical core in its package; logical processors of the same one share it
     */
    public record Processor(int number, int memory, int socket, int core) {}

    public HostTopology {
        processors = processors.stream()
                .sorted(Comparator.comparingInt(Processor::number))
                .toList();
    }

    /**
     * Reads it.
     *
     * @param devices {@code /sys/devices/system}
     * @throws UncheckedIOException when the kernel does not tell
     */
    public static HostTopology read(Path devices) {
        try {
            Map<Integer, Integer> memories = new TreeMap<>();
            Path nodes = devices.resolve("node");
            if (Files.isDirectory(nodes)) {
                for (Path node : numbered(nodes, NODE)) {
                    for (Path cpu : numbered(node, CPU)) {
                        memories.put(number(cpu, CPU), number(node, NODE));
                    }
                }
            }
            List<Processor> processors = new ArrayList<>();
            for (Path cpu : numbered(devices.resolve("cpu"), CPU)) {
                // A processor that is switched off has no place.
                if (Files.exists(cpu.resolve("topology/core_id"))) {
                    processors.add(new Processor(
                            number(cpu, CPU),
                            memories.getOrDefault(number(cpu, CPU), 0),
                            value(cpu.resolve("topology/physical_package_id")),
                            value(cpu.resolve("topology/core_id"))));
                }
            }
            return new HostTopology(processors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The NUMA nodes of some cores, ascending; empty where the host has only one, so that there is nothing to choose. */
    public List<Integer> memoriesOf(Collection<Integer> cores) {
        if (processors.stream().map(Processor::memory).distinct().count() < 2) {
            return List.of();
        }
        return processors.stream()
                .filter(processor -> cores.contains(processor.number()))
                .map(Processor::memory)
                .distinct()
                .sorted()
                .toList();
    }

    /**
     * The given cores by NUMA node, in the order in which they are best given away: the logical processors of a physical
     * core one after the other, so that two jobs share one as rarely as can be. Cores that the host does not have come last.
     */
    public List<List<Integer>> byMemory(Collection<Integer> cores) {
        Map<Integer, List<Integer>> nodes = new TreeMap<>();
        processors.stream()
                .filter(processor -> cores.contains(processor.number()))
                .sorted(Comparator.comparingInt(Processor::socket)
                        .thenComparingInt(Processor::core)
                        .thenComparingInt(Processor::number))
                .forEach(processor -> nodes.computeIfAbsent(processor.memory(), memory -> new ArrayList<>())
                        .add(processor.number()));
        List<List<Integer>> all = new ArrayList<>(nodes.values());
        List<Integer> unknown = cores.stream()
                .filter(core -> processors.stream().noneMatch(processor -> processor.number() == core))
                .sorted()
                .toList();
        if (!unknown.isEmpty()) {
            all.add(unknown);
        }
        return all;
    }

    private static List<Path> numbered(Path directory, Pattern name) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry ->
                            name.matcher(entry.getFileName().toString()).matches())
                    .toList();
        }
    }

    private static int number(Path entry, Pattern name) {
        Matcher matcher = name.matcher(String.valueOf(entry.getFileName()));
        if (!matcher.matches()) {
            throw new IllegalArgumentException(entry.toString());
        }
        return Integer.parseInt(matcher.group(1));
    }

    private static int value(Path file) throws IOException {
        return Integer.parseInt(Files.readString(file).strip());
    }
}
