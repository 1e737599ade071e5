package org.vse.job.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The machines' group may open /dev/kvm, and libvirt sees the same as root and as a machine. */
final class KvmDevice implements Check {
    private static final int READ_WRITE = 06;

    @Override
    public String name() {
        return "kvm-device";
    }

    @Override
    public Finding look(Host host) {
        Path device = host.at("/dev/kvm");
        if (!Files.exists(device)) {
            return absent(host);
        }
        try {
            int mode = (Integer) Files.getAttribute(device, "unix:mode") & 0777;
            int gid = (Integer) Files.getAttribute(device, "unix:gid");
            int machines = Configuration.machineGroup(host);
            String found = String.format("mode %04o, owner %s:%s", mode, Files.getAttribute(device, "unix:uid"), gid);
            if (allows(mode) || (gid == machines && allows(mode >> 3))) {
                return Finding.ok(found);
            }
            return Finding.warning(
                    found + ": group " + machines
                            + " of the machines cannot open it. A libvirtd that sees KVM as root but"
                            + " not as the machine asks QEMU again at every start (64 s instead of 0.35 s); only the one of"
                            + " vsed gives its machines a device of their own",
                    "chgrp " + machines + " /dev/kvm && chmod 0660 /dev/kvm");
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "/dev/kvm cannot be looked at")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static boolean allows(int bits) {
        return (bits & READ_WRITE) == READ_WRITE;
    }

    private static Finding absent(Host host) {
        String cpu = host.text("/proc/cpuinfo").orElse("");
        String found = "there is no /dev/kvm: machines are emulated";
        if (cpu.matches("(?s).*\\bvmx\\b.*")) {
            return Finding.warning(found, "modprobe kvm_intel");
        }
        if (cpu.matches("(?s).*\\bsvm\\b.*")) {
            return Finding.warning(found, "modprobe kvm_amd");
        }
        return Finding.warning(
                found + ", and its processor offers no virtualization", "switch it on in the firmware of the host");
    }
}
