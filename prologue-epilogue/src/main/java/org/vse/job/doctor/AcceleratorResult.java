package org.vse.job.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.vse.job.daemon.NodeSettings;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.accelerator.ProbeHost;
import org.vse.provisioner.accelerator.ProbeRecord;

/** What machines run under, and what a probe has shown. */
final class AcceleratorResult implements Check {
    @Override
    public String name() {
        return "accelerator";
    }

    @Override
    public Finding look(Host host) {
        NodeSettings settings = Configuration.settings(host);
        if (settings.accelerator().isPresent()) {
            return set(host, settings.accelerator().get());
        }
        ProbeHost now =
                ProbeHost.read(host.root(), host.programs().find(ProbeHost.QEMU), Configuration.machineGroup(host));
        if (!now.hasKvm()) {
            return Finding.ok("tcg: there is no /dev/kvm");
        }
        Path file = host.at(host.state().resolve(ProbeRecord.FILE));
        if (Files.exists(file) && !Files.isReadable(file)) {
            return Finding.forRoot(file.toString());
        }
        Optional<ProbeRecord.Result> result = ProbeRecord.read(file).flatMap(record -> record.latest(now));
        if (result.isEmpty()) {
            return Finding.warning(
                    "not probed on this boot, with this QEMU and this /dev/kvm: the first job does it",
                    "vse run examples/jobs/hello.sh");
        }
        String found = result.get().accelerator().name().toLowerCase(Locale.ROOT) + ": "
                + result.get().evidence() + " (" + result.get().at() + ")";
        return result.get().accelerator() == Accelerator.KVM
                ? Finding.ok(found)
                : Finding.warning(
                        found, "mend that, then: vse down && rm " + host.state().resolve(ProbeRecord.FILE));
    }

    private static Finding set(Host host, Accelerator accelerator) {
        Path file = host.config().resolve("vsed.yaml");
        if (accelerator == Accelerator.KVM && !Files.exists(host.at("/dev/kvm"))) {
            return Finding.failed(
                    "kvm, set in " + file + ", but there is no /dev/kvm",
                    "sed -i 's/^accelerator:.*/accelerator: auto/' " + file + " && vse down && vse up");
        }
        return Finding.ok(accelerator.name().toLowerCase(Locale.ROOT) + ", set in " + file);
    }
}
