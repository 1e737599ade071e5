package org.vse.test.site;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.vse.process.CommandRunner;
import org.vse.provisioner.VmName;
import org.vse.provisioner.guest.AgentGuestControl;
import org.vse.provisioner.guest.GuestControl;
import org.vse.provisioner.libvirt.LibvirtDriver;
import org.vse.provisioner.libvirt.PrivateLibvirtd;

/** Root in a guest, as a user may be who has made an image of their own. */
public final class GuestDoor implements AutoCloseable {
    private final LibvirtDriver driver;
    private final GuestControl control;

    GuestDoor(Site site, String job, int machine) {
        String owner = site.owner();
        VmName name = new VmName("vse-" + site.tag(job) + "-" + machine);
        this.driver = new LibvirtDriver(owner, new PrivateLibvirtd(site.state(), site.run(), new CommandRunner()));
        this.control = new AgentGuestControl((json, timeout) -> driver.agent(name, json, timeout));
    }

    /** Runs a shell script as root of the guest. */
    public GuestControl.GuestResult sh(String script) {
        return control.exec(
                List.of("/bin/bash", "-s"), script.getBytes(StandardCharsets.UTF_8), Duration.ofSeconds(60), 1 << 20);
    }

    @Override
    public void close() {
        driver.close();
    }
}
