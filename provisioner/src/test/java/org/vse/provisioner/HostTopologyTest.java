package org.vse.provisioner;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTopologyTest {
    @TempDir
    Path devices;

    private void processor(int number, int memory, int socket, int core) throws IOException {
        Path topology = Files.createDirectories(devices.resolve("cpu/cpu" + number + "/topology"));
        Files.writeString(topology.resolve("physical_package_id"), socket + "\n");
        Files.writeString(topology.resolve("core_id"), core + "\n");
        Path node = Files.createDirectories(devices.resolve("node/node" + memory));
        Files.createSymbolicLink(node.resolve("cpu" + number), devices.resolve("cpu/cpu" + number));
    }

    /** Two sockets with two cores of two threads each, numbered as Linux does: first every first thread. */
    private HostTopology server() throws IOException {
        for (int number = 0; number < 8; number++) {
            processor(number, number % 2, number % 2, number % 4 / 2);
        }
        Files.createDirectories(devices.resolve("cpu/cpufreq"));
        Files.createDirectories(devices.resolve("cpu/cpu8"));
        Files.writeString(devices.resolve("node/online"), "0-1\n");
        return HostTopology.read(devices);
    }

    @Test
    void coresOfANodeAreGivenPhysicalCoreByPhysicalCore() throws IOException {
        HostTopology server = server();
        assertThat(server.processors()).hasSize(8);
        assertThat(server.byMemory(List.of(0, 1, 2, 3, 4, 5, 6, 7)))
                .containsExactly(List.of(0, 4, 2, 6), List.of(1, 5, 3, 7));
        assertThat(server.byMemory(List.of(7, 2, 9))).containsExactly(List.of(2), List.of(7), List.of(9));
    }

    @Test
    void memoryIsNamedOnlyWhereThereIsAChoice() throws IOException {
        HostTopology server = server();
        assertThat(server.memoriesOf(List.of(0, 4))).containsExactly(0);
        assertThat(server.memoriesOf(List.of(5, 3))).containsExactly(1);
        assertThat(server.memoriesOf(List.of(1, 0))).containsExactly(0, 1);
    }

    @Test
    void aHostWithOneMemoryHasNoChoice() throws IOException {
        processor(0, 0, 0, 0);
        processor(1, 0, 0, 1);
        assertThat(HostTopology.read(devices).memoriesOf(List.of(1))).isEmpty();
    }

    @Test
    void aKernelWithoutNumaHasOneMemory() throws IOException {
        Path topology = Files.createDirectories(devices.resolve("cpu/cpu0/topology"));
        Files.writeString(topology.resolve("physical_package_id"), "0\n");
        Files.writeString(topology.resolve("core_id"), "0\n");
        assertThat(HostTopology.read(devices).byMemory(List.of(0))).containsExactly(List.of(0));
    }

    @Test
    void thisHostTells() {
        assertThat(HostTopology.read(Path.of("/sys/devices/system")).processors())
                .hasSizeGreaterThanOrEqualTo(Runtime.getRuntime().availableProcessors());
    }
}
