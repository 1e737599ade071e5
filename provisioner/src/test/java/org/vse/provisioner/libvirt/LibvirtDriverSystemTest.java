package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmDriverContract;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/** The contract, on a libvirtd of the test's own and real guests. */
@Tag("system")
class LibvirtDriverSystemTest extends VmDriverContract {
    private static LibvirtRig rig;

    @BeforeAll
    static void startDaemon() throws IOException {
        rig = LibvirtRig.open();
    }

    @AfterAll
    static void stopDaemon() throws IOException {
        rig.close();
    }

    @Override
    protected VmDriver open(String owner) {
        return new LibvirtDriver(owner, rig.daemon());
    }

    @Override
    protected VmSpec spec(VmName name, VmLabel label, Guest guest) throws IOException {
        return rig.spec(name, label, guest);
    }

    @Override
    protected VmSpec goesOn(VmSpec saved, VmSpec later) throws IOException {
        Files.move(saved.disk(), later.disk(), StandardCopyOption.REPLACE_EXISTING);
        return later;
    }

    @Override
    protected void kill(VmStatus machine) {
        assertThat(LibvirtRig.process(machine).signal(9)).isTrue();
    }
}
