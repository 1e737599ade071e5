package org.vse.job.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.job.doctor.Finding.State;

@Timeout(20)
class DoctorTest {
    @TempDir
    Path root;

    private CraftedHost host;

    @BeforeEach
    void allIsWell() {
        host = new CraftedHost(root);
    }

    private void ok(String check, String found) {
        Finding finding = host.look(check);
        assertThat(finding.state()).as(finding.found()).isEqualTo(State.OK);
        assertThat(finding.found()).contains(found);
    }

    private void warning(String check, String found, String mend) {
        expect(State.WARNING, check, found, mend);
    }

    private void failed(String check, String found, String mend) {
        expect(State.FAILED, check, found, mend);
    }

    private void expect(State state, String check, String found, String mend) {
        Finding finding = host.look(check);
        assertThat(finding.state()).as(finding.found()).isEqualTo(state);
        assertThat(finding.found()).contains(found);
        assertThat(finding.mend()).contains(mend);
    }

    @Test
    void onAGoodHostNothingHasFailedAndOnlyTheProbeIsMissing() {
        assertThat(Doctor.examine(host.host()))
                .hasSameSizeAs(Doctor.checks())
                .allSatisfy(line -> assertThat(line.finding().state())
                        .as(line.toString())
                        .isEqualTo(line.check().equals("accelerator") ? State.WARNING : State.OK));
    }

    @Test
    void aMissingPackageIsNamedWithTheCommand() {
        ok("packages", "all 4 are installed");
        host.answers("dpkg-query", 1, "installed openssh-client\nconfig-files nfs-ganesha\n");
        failed("packages", "1 of 4 are missing: nfs-ganesha", "apt-get install --no-install-recommends nfs-ganesha");
        host.withoutProgram("qemu-img");
        failed("packages", "2 of 4 are missing: qemu-utils nfs-ganesha", "qemu-utils nfs-ganesha");
    }

    @Test
    void withoutDpkgOrTheListNobodyKnowsWhatIsInstalled() {
        host.withoutProgram("dpkg-query");
        warning("packages", "no dpkg-query", "packages.txt");
        host.without("/packages.txt");
        warning("packages", "not where it should be", "complete tree");
    }

    @Test
    void anOldQemuIsAWarningAndNoneAFailure() {
        ok("qemu", "7.2.22");
        host.answers("qemu-system-x86_64", 0, "QEMU emulator version 10.0.1\n");
        ok("qemu", "10.0.1");
        host.answers("qemu-system-x86_64", 0, "QEMU emulator version 6.2.0\n");
        warning("qemu", "6.2.0; VSE is tested with 7.2", "apt-get install");
        host.answers("qemu-system-x86_64", 127, "cannot open shared object file\n");
        failed("qemu", "exits with 127 and says 'cannot open", "--reinstall");
        host.answers("qemu-system-x86_64", 0, "hello\n");
        failed("qemu", "says 'hello'", "--reinstall");
        host.withoutProgram("qemu-system-x86_64");
        failed("qemu", "there is no qemu-system-x86_64", "apt-get install --no-install-recommends qemu-system-x86");
    }

    @Test
    void anOldLibvirtIsAWarningAndNoneAFailure() {
        host.answers("libvirtd", 0, "libvirtd (libvirt) 8.10.0\n");
        warning("libvirt", "8.10.0", "apt-get install");
        host.withoutProgram("libvirtd");
        failed("libvirt", "there is no libvirtd", "libvirt-daemon-system");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "# stdio_handler = \"file\"|logd",
                "stdio_handler = \"logd\"|logd",
                "stdio_handler = \"file\"\\nstdio_handler = \"logd\"|logd",
                "max_core = 0|logd"
            })
    void outputThatVirtlogdWouldCutIsAFailure(String text, String handler) {
        ok("log-handler", "not started its libvirtd yet");
        host.file("/var/lib/vse/libvirt/etc/qemu.conf", "stdio_handler = \"file\"\n");
        ok("log-handler", "stdio_handler = \"file\"");
        host.file("/var/lib/vse/libvirt/etc/qemu.conf", text.replace("\\n", "\n") + "\n");
        failed("log-handler", "stdio_handler is '" + handler + "'", "vse down --cancel-jobs && vse up");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"acelerator: auto", "boot-timeout: 5", "cores: x", "node: a b", "qemu-gid: 0", "accelerator: xen"
            })
    void aConfigurationThatVsedRefusesIsAFailure(String yaml) {
        ok("configuration", "all defaults");
        host.file("/etc/vse/vsed.yaml", "accelerator: tcg\n");
        ok("configuration", "/etc/vse/vsed.yaml");
        host.file("/etc/vse/vsed.yaml", yaml + "\n");
        failed("configuration", "vsed.yaml", "edit /etc/vse/vsed.yaml");
    }

    @Test
    void aKvmThatOnlyRootMayOpenIsTheTrap() {
        ok("kvm-device", "mode 0666");
        host.mode("/dev/kvm", "rw-------");
        warning("kvm-device", "mode 0600", "chgrp 107 /dev/kvm && chmod 0660 /dev/kvm");
        assertThat(host.look("kvm-device").found())
                .contains("group 107 of the machines cannot open it", "64 s instead of 0.35 s");
    }

    @Test
    void theGroupOfTheMachinesMayOpenKvm() throws Exception {
        host.mode("/dev/kvm", "rw-rw----");
        int gid = (Integer) Files.getAttribute(root.resolve("dev/kvm"), "unix:gid");
        host.answers("getent group kvm", 0, "kvm:x:" + gid + ":\n");
        ok("kvm-device", "mode 0660");
        host.file("/etc/vse/vsed.yaml", "qemu-gid: " + (gid + 1) + "\n");
        warning("kvm-device", "group " + (gid + 1) + " of the machines", "chgrp " + (gid + 1));
        host.without("/etc/vse/vsed.yaml").answers("getent group kvm", 2, "");
        if (gid != 65534) {
            warning("kvm-device", "group 65534 of the machines", "chgrp 65534");
        }
    }

    @ParameterizedTest
    @CsvSource({"vmx,modprobe kvm_intel", "svm,modprobe kvm_amd", "fpu,firmware"})
    void withoutKvmTheProcessorSaysWhatToDo(String flag, String mend) {
        host.without("/dev/kvm").file("/proc/cpuinfo", "flags\t\t: fpu " + flag + " sse\n");
        warning("kvm-device", "there is no /dev/kvm", mend);
        ok("accelerator", "tcg: there is no /dev/kvm");
    }

    @Test
    void theAcceleratorIsWhatIsSetOrWhatAProbeHasShown() throws Exception {
        warning("accelerator", "not probed", "vse run");
        host.file("/etc/vse/vsed.yaml", "accelerator: tcg\n");
        ok("accelerator", "tcg, set in /etc/vse/vsed.yaml");
        host.file("/etc/vse/vsed.yaml", "accelerator: kvm\n");
        ok("accelerator", "kvm, set in");
        host.without("/dev/kvm");
        failed("accelerator", "but there is no /dev/kvm", "sed -i");
    }

    @ParameterizedTest
    @CsvSource({"KVM,OK", "TCG,WARNING"})
    void evidenceIsShown(String accelerator, State state) throws Exception {
        var now = org.vse.provisioner.accelerator.ProbeHost.read(
                root, java.util.Optional.of(root.resolve("packages.txt")), 107);
        String record = """
                {"host":{"release":"6.1.0","boot":"b00t","qemu":"%s","kvm":"%s","gid":107},
                "results":[{"kernel":"k","accelerator":"%s","evidence":"it was\\u001b[2Jseen","at":"then"}]}
                """.formatted(now.qemu(), now.kvm(), accelerator);
        host.file("/var/lib/vse/accelerator.json", record);
        Finding finding = host.look("accelerator");
        assertThat(finding.state()).isEqualTo(state);
        assertThat(finding.found())
                .isEqualTo(accelerator.toLowerCase(java.util.Locale.ROOT) + ": it was?[2Jseen (then)");
        host.file("/proc/sys/kernel/random/boot_id", "other\n");
        warning("accelerator", "not probed", "vse run");
    }

    @Test
    void cgroupsAreNamedWithWhatIsMissing() {
        ok("cgroups", "v2 with cpu, cpuset, io, memory, pids");
        host.file("/sys/fs/cgroup/cgroup.controllers", "cpu io pids\n");
        warning("cgroups", "missing: cpuset, memory", "cgroup_enable=cpuset,memory");
        host.file("/proc/self/mounts", """
                tmpfs /sys/fs/cgroup tmpfs rw 0 0
                cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
                cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
                cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
                """);
        warning("cgroups", "v1 with cpuset, pids; missing: memory", "mount -t cgroup -o memory");
        host.file("/proc/self/mounts", "/dev/vda / ext4 rw 0 0\n");
        warning("cgroups", "none", "mount -t cgroup2");
    }

    @ParameterizedTest
    @CsvSource({"10737418240,OK", "10737418239,WARNING", "1073741824,WARNING", "1073741823,FAILED", "0,FAILED"})
    void aFullDiskIsAFailure(long bytes, State state) {
        Finding finding = host.usable(bytes).look("disk-space");
        assertThat(finding.state()).isEqualTo(state);
        assertThat(finding.found()).contains("GiB are free for /var/lib/vse");
    }

    @Test
    void aDeviceIsLoadedOrLoadableOrCanBeMadeOrIsMissing() {
        ok("kernel-modules", "bridge, veth, tun and vxlan");
        host.without("/sys/module/veth").answers("modprobe -n -q veth", 0, "");
        ok("kernel-modules", "are there");
        host.answers("modprobe -n -q veth", 1, "").answers("unshare --net ip link add vsedoctor type veth", 0, "");
        ok("kernel-modules", "are there");
        host.asUser();
        warning("kernel-modules", "whether the kernel has veth: only root can see it", "as root: vse doctor");
    }

    @Test
    void aMissingDeviceIsAFailureUnlessOnlyLaterVersionsNeedIt() {
        host.without("/sys/module/vxlan").answers("unshare", 1, "");
        warning("kernel-modules", "the kernel has no vxlan", "modprobe -a vxlan");
        host.without("/sys/module/tun").without("/sys/module/bridge");
        failed("kernel-modules", "the kernel has no bridge, tun", "modprobe -a bridge tun");
        host.file("/dev/net/tun", "");
        failed("kernel-modules", "the kernel has no bridge", "modprobe -a bridge");
    }

    @Test
    void aRunDirectoryIsShortAndOnTmpfs() {
        ok("run-directory", "/run/vse is on tmpfs");
        host.run("/var/run-of-vse");
        warning("run-directory", "is on ext4, not on tmpfs", "mount -t tmpfs");
        // "/run/" and "/libvirt/libvirt-sock" have 26 bytes.
        host.run("/run/" + "x".repeat(107 - 26));
        ok("run-directory", "on tmpfs");
        host.run("/run/" + "x".repeat(108 - 26));
        failed("run-directory", "has 108 bytes, a socket's path at most 107", "VSE_RUN_DIR");
    }

    @Test
    void anAccountInThePoolIsAFailure() {
        ok("uid-pool", "1879048192-1879049215 belongs to nobody else");
        host.answers("getent passwd", 0, "eve:x:1879049215:1::/:/bin/sh\nmallory:x:1879049216:1::/:/bin/sh\n");
        failed("uid-pool", "eve (1879049215)", "set first-qemu-uid in /etc/vse/vsed.yaml");
        assertThat(host.look("uid-pool").found()).doesNotContain("mallory");
        host.answers("getent passwd", 0, "").answers("getent passwd 1879048192", 0, "ldap:x:1879048192:1::/:/bin/sh\n");
        failed("uid-pool", "ldap (1879048192)", "first-qemu-uid");
        host.file("/etc/vse/vsed.yaml", "first-qemu-uid: 500000\nqemu-uids: 10\n");
        ok("uid-pool", "500000-500009");
        host.withoutProgram("getent");
        failed("uid-pool", "no getent", "libc-bin");
    }

    @Test
    void aPoolThatOthersMapOrThatIsNotMappedIsFound() {
        host.file("/etc/subuid", "alice:100000:65536\nbob:1879040000:65536\n");
        warning("uid-pool", "/etc/subuid gives a part of the pool 1879048192-1879049215 to bob", "first-qemu-uid");
        host.file("/proc/self/uid_map", "         0     100000      65536\n");
        failed("uid-pool", "user namespace does not have all", "first-qemu-uid");
    }

    @Test
    void aClockThatCannotBeRightIsAFailure() {
        ok("clock", "synchronised");
        host.unsynchronised();
        warning("clock", "nothing synchronises it", "timedatectl set-ntp true");
        host.now("1970-01-01T00:00:07Z");
        failed("clock", "it shows 1970-01-01T00:00:07Z", "timedatectl set-ntp true");
    }
}
