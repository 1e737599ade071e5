package org.vse.job.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.VseException;
import org.vse.job.peer.PeerNodes;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * What {@code vsed.yaml} says, for whoever looks at a node from outside.
 *
 * @param accelerator empty when a probe is to find out
 * @param firstQemuUid first uid of the pool for machines
 * @param qemuUids size of the pool
 * @param qemuGid group of machines; empty when the file does not say
 * @param policy file of the policy; empty when the file does not say
 * @param lease how long a part of a job lives without a word from the job's first node
 * @param certificates directory of what the node proves itself with, perhaps beside the file; empty when it has no others
 */
public record NodeSettings(
        Optional<Accelerator> accelerator,
        int firstQemuUid,
        int qemuUids,
        Optional<Integer> qemuGid,
        Optional<Path> policy,
        Duration lease,
        Optional<Path> certificates) {
    /** The group of machines where there is no group kvm. */
    public static final int NOBODY = NodeFacts.NOBODY;

    /**
     * Reads a file that may be missing.
     *
     * @throws VseException CONFIG_INVALID when vsed would refuse it
     */
    public static NodeSettings read(Path file) {
        Map<ConfigFile.Key, ConfigFile.Value> values = ConfigFile.read(file);
        values.forEach(NodeSettings::check);
        return of(values);
    }

    /** What counts when there is no file. */
    public static NodeSettings defaults() {
        return of(Map.of());
    }

    /** What looks at a node does not need these, but vsed refuses a file where one is wrong. */
    private static void check(ConfigFile.Key key, ConfigFile.Value value) {
        switch (key) {
            case NODE, HEAD -> ConfigFile.label(value);
            case CORES -> ConfigFile.cores(value);
            case BOOT_TIMEOUT, SETUP_TIMEOUT, START_TIMEOUT, CANCEL_GRACE, REAP_INTERVAL, NODE_LEASE, NODE_LOST ->
                ConfigFile.duration(value);
            case MEMORY, IMAGE_CACHE, MACHINE_OVERHEAD, SHARE_MEMORY, MAX_OUTPUT, MAX_CONSOLE -> ConfigFile.size(value);
            case OVERSUBSCRIBE -> NodeFacts.sharers(Map.of(key, value));
            case ACCELERATOR -> ConfigFile.accelerator(value);
            case IMAGE_SOURCE -> NodeImages.check(value);
            case FIRST_QEMU_UID -> NodeFacts.firstQemuUid(Map.of(key, value));
            case QEMU_UIDS -> NodeFacts.qemuUids(Map.of(key, value));
            case QEMU_GID -> NodeFacts.qemuGid(Map.of(key, value));
            case PEER_LISTEN -> ConfigFile.listen(value);
            case PEERS -> ConfigFile.nodes(value, PeerNodes.PORT);
            case PEER_CERTIFICATES, POLICY, CHECKPOINTS, CHECKPOINT_KEY, LEDGER_PASSWORD -> ConfigFile.path(value);
            case HEAD_QUESTION -> ConfigFile.words(value);
            case METRICS_LISTEN -> ConfigFile.metrics(value);
            case LOG_FORMAT -> ConfigFile.logFormat(value);
            case LEDGER_DATABASE -> SiteLedger.address(value);
        }
    }

    private static NodeSettings of(Map<ConfigFile.Key, ConfigFile.Value> values) {
        return new NodeSettings(
                NodeFacts.accelerator(values),
                NodeFacts.firstQemuUid(values),
                NodeFacts.qemuUids(values),
                NodeFacts.qemuGid(values),
                Optional.ofNullable(values.get(ConfigFile.Key.POLICY)).map(ConfigFile::path),
                NodeFacts.lease(values),
                Optional.ofNullable(values.get(ConfigFile.Key.PEER_LISTEN))
                        .map(listen -> Optional.ofNullable(values.get(ConfigFile.Key.PEER_CERTIFICATES))
                                .map(ConfigFile::path)
                                .orElse(Path.of("certs"))));
    }
}
