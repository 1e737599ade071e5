package org.vse.job.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.VseException;
import org.vse.job.daemon.NodeSettings;
import org.vse.job.daemon.PolicyOnDisk;
import org.vse.policy.layer.Policy;

/** vsed.yaml and the policy can be used as they are. */
final class Configuration implements Check {
    @Override
    public String name() {
        return "configuration";
    }

    @Override
    public Finding look(Host host) {
        Path file = host.config().resolve("vsed.yaml");
        Path real = host.at(file);
        if (Files.exists(real) && !Files.isReadable(real)) {
            return Finding.forRoot(file.toString());
        }
        try {
            NodeSettings settings = NodeSettings.read(real);
            String used = Files.exists(real) ? file.toString() : "there is no " + file + ": all defaults";
            return policy(host, settings, used);
        } catch (VseException e) {
            String at = e.where() == null ? file.toString() : e.where();
            return Finding.failed(
                    at + ": " + e.what() + ": " + e.facts().getOrDefault("found", "see vsed's log"),
                    "edit " + file + " as docs/configuration.md says");
        }
    }

    /** A running vsed keeps the policy that it has when the file is broken; the next one would not start. */
    private static Finding policy(Host host, NodeSettings settings, String used) {
        Path file = settings.policy().orElse(host.config().resolve("policy.yaml"));
        Path real = host.at(file);
        if (Files.exists(real) && !Files.isReadable(real)) {
            return Finding.forRoot(file.toString());
        }
        try {
            Policy policy = new PolicyOnDisk(real, settings.policy().isPresent()).read();
            return Finding.ok(used + "; policy " + policy.name() + " for queues "
                    + (policy.queues().isEmpty() ? "none" : String.join(", ", policy.queues())));
        } catch (VseException e) {
            return Finding.failed((e.where() == null ? file : e.where()) + ": " + e.what(), "vse policy check " + file);
        }
    }

    /** The settings, the defaults where the file cannot be used: then {@link #look} says so. */
    static NodeSettings settings(Host host) {
        Path real = host.at(host.config().resolve("vsed.yaml"));
        try {
            return Files.isReadable(real) ? NodeSettings.read(real) : NodeSettings.defaults();
        } catch (VseException e) {
            return NodeSettings.defaults();
        }
    }

    /** The group of machines: what the configuration says, else the group kvm, else nogroup. */
    static int machineGroup(Host host) {
        return settings(host)
                .qemuGid()
                .orElseGet(() -> host.run("getent", "group", "kvm")
                        .filter(result -> result.exitCode() == 0)
                        .map(result -> result.stdout().strip().split(":", -1))
                        .filter(fields -> fields.length > 2 && fields[2].matches("\\d{1,9}"))
                        .map(fields -> Integer.parseInt(fields[2]))
                        .orElse(NodeSettings.NOBODY));
    }
}
