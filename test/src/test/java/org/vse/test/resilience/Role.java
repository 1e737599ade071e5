package org.vse.test.resilience;

import java.util.Optional;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Who is killed. */
enum Role {
    VSED("vsed"),
    LIBVIRTD("libvirtd"),
    QEMU("QEMU"),
    SHARE_SERVER("share server"),
    STARTER("starter (`vse run`)");

    private final String words;

    Role(String words) {
        this.words = words;
    }

    /** As people call it. */
    String words() {
        return words;
    }

    /** Its process now; empty when there is none. */
    Optional<ProcessIdentity> find(Site site, Started run) {
        return switch (this) {
            case VSED -> Optional.of(Victim.vsed(site));
            case LIBVIRTD -> Optional.of(Victim.libvirtd(site));
            case QEMU -> Remains.machines(site).stream().findFirst();
            case SHARE_SERVER -> Victim.any(site, "ganesha.nfsd -F");
            case STARTER -> ProcessIdentity.of(run.pid());
        };
    }
}
