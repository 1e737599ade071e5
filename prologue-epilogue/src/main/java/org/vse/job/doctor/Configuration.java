package org.vse.job.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.VseException;
import org.vse.job.daemon.NodeSettings;

/** vsed.yaml can be used as it is. */
final class Configuration implements Check {
    @Override
    public String name() {
        return "configuration";
    }

    @Override
    public Finding look(Host host) {
        Path file = host.config().resolve("vsed.yaml");
        Path real = host.at(file);
        if (!Files.exists(real)) {
            return Finding.ok("there is no " + file + ": all defaults");
        }
        if (!Files.isReadable(real)) {
            return Finding.forRoot(file.toString());
        }
        try {
            NodeSettings.read(real);
            return Finding.ok(file.toString());
        } catch (VseException e) {
            String at = e.where() == null ? file.toString() : e.where();
            return Finding.failed(
                    at + ": " + e.what() + ": " + e.facts().getOrDefault("found", "see vsed's log"),
                    "edit " + file + " as docs/configuration.md says");
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
