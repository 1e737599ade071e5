package org.vse.job.daemon;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.step.Node;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.process.cgroup.Hierarchy;
import org.vse.process.cgroup.NodeMemory;
import org.vse.provisioner.HostTopology;
import org.vse.provisioner.VmSpec.Accelerator;

/** What this node is when its configuration does not say. */
final class NodeFacts {
    static final int NOBODY = 65534;
    private static final Path DEVICES = Path.of("/sys/devices/system");

    private NodeFacts() {}

    /** The configuration with every default in its place. */
    static VsedConfig config(Path file, Path state, Path run, CommandRunner commands, List<Hierarchy> hierarchies) {
        Map<ConfigFile.Key, ConfigFile.Value> values = ConfigFile.read(file);
        ConfigFile.Value none = new ConfigFile.Value("", "");
        return new VsedConfig(
                values.containsKey(ConfigFile.Key.NODE)
                        ? ConfigFile.label(values.getOrDefault(ConfigFile.Key.NODE, none))
                        : hostName(),
                HostTopology.read(DEVICES).byMemory(cores(values)),
                sharers(values),
                values.containsKey(ConfigFile.Key.MEMORY)
                        ? ConfigFile.size(values.getOrDefault(ConfigFile.Key.MEMORY, none))
                        : NodeMemory.bytes(hierarchies),
                accelerator(values),
                state,
                run,
                Standing.of(Standing.uid()),
                firstQemuUid(values),
                qemuUids(values),
                qemuGid(values).orElseGet(() -> kvmGroup(commands)),
                duration(values, ConfigFile.Key.BOOT_TIMEOUT, 120),
                duration(values, ConfigFile.Key.SETUP_TIMEOUT, 60),
                duration(values, ConfigFile.Key.START_TIMEOUT, 60),
                duration(values, ConfigFile.Key.CANCEL_GRACE, 10),
                duration(values, ConfigFile.Key.REAP_INTERVAL, 60),
                new Node.Limits(
                        size(values, ConfigFile.Key.MACHINE_OVERHEAD),
                        size(values, ConfigFile.Key.SHARE_MEMORY),
                        size(values, ConfigFile.Key.MAX_OUTPUT),
                        size(values, ConfigFile.Key.MAX_CONSOLE)),
                path(values, ConfigFile.Key.CHECKPOINTS, state.resolve("checkpoints")),
                path(values, ConfigFile.Key.CHECKPOINT_KEY, state.resolve("checkpoint.key")),
                peers(values, file));
    }

    private static Path path(Map<ConfigFile.Key, ConfigFile.Value> values, ConfigFile.Key key, Path otherwise) {
        return Optional.ofNullable(values.get(key)).map(ConfigFile::path).orElse(otherwise);
    }

    private static Optional<VsedConfig.Peers> peers(Map<ConfigFile.Key, ConfigFile.Value> values, Path file) {
        ConfigFile.Value none = new ConfigFile.Value("", "");
        ConfigFile.Value listen = values.get(ConfigFile.Key.PEER_LISTEN);
        if (listen == null) {
            return Optional.empty();
        }
        InetSocketAddress address = ConfigFile.listen(listen);
        ConfigFile.Value certificates = values.get(ConfigFile.Key.PEER_CERTIFICATES);
        ConfigFile.Value question = values.get(ConfigFile.Key.HEAD_QUESTION);
        return Optional.of(new VsedConfig.Peers(
                address,
                ConfigFile.nodes(values.getOrDefault(ConfigFile.Key.PEERS, none), address.getPort()),
                certificates == null ? file.resolveSibling("certs") : ConfigFile.path(certificates),
                lease(values),
                question == null ? List.of() : ConfigFile.words(question)));
    }

    static Duration lease(Map<ConfigFile.Key, ConfigFile.Value> values) {
        return duration(values, ConfigFile.Key.NODE_LEASE, 30);
    }

    static int sharers(Map<ConfigFile.Key, ConfigFile.Value> values) {
        return number(values, ConfigFile.Key.OVERSUBSCRIBE, 1, 64, 1);
    }

    private static List<Integer> cores(Map<ConfigFile.Key, ConfigFile.Value> values) {
        ConfigFile.Value set = values.get(ConfigFile.Key.CORES);
        return ConfigFile.cores(set == null ? new ConfigFile.Value(allowedCores(), "/proc/self/status") : set);
    }

    /** Empty when a probe is to find out. */
    static Optional<Accelerator> accelerator(Map<ConfigFile.Key, ConfigFile.Value> values) {
        ConfigFile.Value value = values.get(ConfigFile.Key.ACCELERATOR);
        return value == null ? Optional.empty() : ConfigFile.accelerator(value);
    }

    static int firstQemuUid(Map<ConfigFile.Key, ConfigFile.Value> values) {
        return number(values, ConfigFile.Key.FIRST_QEMU_UID, 1000, Integer.MAX_VALUE - 70_000, 1_879_048_192);
    }

    static int qemuUids(Map<ConfigFile.Key, ConfigFile.Value> values) {
        return number(values, ConfigFile.Key.QEMU_UIDS, 1, 65_536, 1024);
    }

    /** Empty when the file does not say. */
    static Optional<Integer> qemuGid(Map<ConfigFile.Key, ConfigFile.Value> values) {
        ConfigFile.Value value = values.get(ConfigFile.Key.QEMU_GID);
        return value == null ? Optional.empty() : Optional.of(ConfigFile.number(value, 1, Integer.MAX_VALUE));
    }

    private static int number(
            Map<ConfigFile.Key, ConfigFile.Value> values, ConfigFile.Key key, int least, int most, int otherwise) {
        ConfigFile.Value value = values.get(key);
        return value == null ? otherwise : ConfigFile.number(value, least, most);
    }

    /** A key whose documented default is a size itself. */
    private static long size(Map<ConfigFile.Key, ConfigFile.Value> values, ConfigFile.Key key) {
        return ConfigFile.size(values.getOrDefault(key, new ConfigFile.Value(key.otherwise(), "the default")));
    }

    private static Duration duration(
            Map<ConfigFile.Key, ConfigFile.Value> values, ConfigFile.Key key, int otherwiseSeconds) {
        ConfigFile.Value value = values.get(key);
        return value == null ? Duration.ofSeconds(otherwiseSeconds) : ConfigFile.duration(value);
    }

    private static String hostName() {
        try {
            String name = InetAddress.getLocalHost().getHostName();
            int dot = name.indexOf('.');
            return dot < 0 ? name : name.substring(0, dot);
        } catch (UnknownHostException e) {
            // The host's name does not resolve; the kernel still knows it.
            return kernelName();
        }
    }

    private static String kernelName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "this host has no name")
                    .next("set 'node' in vsed.yaml")
                    .because(e);
        }
    }

    /** The cores that this process may run on (proc(5), Cpus_allowed_list). */
    private static String allowedCores() {
        try {
            List<String> lines = Files.readAllLines(Path.of("/proc/self/status"));
            return lines.stream()
                    .filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElseThrow(() -> new IOException("no Cpus_allowed_list"));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the cores of this node cannot be read")
                    .next("set 'cores' in vsed.yaml")
                    .because(e);
        }
    }

    private static int kvmGroup(CommandRunner commands) {
        CommandResult result = commands.run(Command.of("getent", "group", "kvm"));
        String[] fields = result.stdout().strip().split(":", -1);
        return result.exitCode() == 0 && fields.length >= 3 ? Integer.parseInt(fields[2]) : NOBODY;
    }
}
