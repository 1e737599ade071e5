package org.vse.provisioner.libvirt;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.DomainInfo.DomainState;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmStatus;

/** Which of libvirt's domains are ours, told by their label, and what is known of them. */
final class OurDomains {
    /** VIR_DOMAIN_METADATA_ELEMENT. */
    private static final int METADATA_ELEMENT = 2;

    private final String owner;
    private final PrivateLibvirtd daemon;

    OurDomains(String owner, PrivateLibvirtd daemon) {
        this.owner = owner;
        this.daemon = daemon;
    }

    /** Empty when the domain is not ours or has ended. */
    Optional<VmStatus> statusOf(Domain domain) throws LibvirtException {
        try {
            Optional<VmLabel> label = labelOf(domain);
            DomainState state = domain.getInfo().state;
            if (label.isEmpty() || state == DomainState.VIR_DOMAIN_SHUTOFF || state == DomainState.VIR_DOMAIN_CRASHED) {
                return Optional.empty();
            }
            String name = domain.getName();
            Optional<ProcessIdentity> qemu = daemon.processOf(name, UUID.fromString(domain.getUUIDString()));
            boolean paused = state == DomainState.VIR_DOMAIN_PAUSED;
            return qemu.map(process -> new VmStatus(
                    new VmName(name),
                    label.get(),
                    paused ? VmStatus.State.PAUSED : VmStatus.State.RUNNING,
                    text(process)));
        } catch (LibvirtException e) {
            if (LibvirtErrors.isGone(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Whether the domain has our label; false when it has ended. */
    boolean isOurs(Domain domain) throws LibvirtException {
        try {
            return labelOf(domain).isPresent();
        } catch (LibvirtException e) {
            if (LibvirtErrors.isGone(e)) {
                return false;
            }
            throw e;
        }
    }

    /** The domain's label, empty when it has none or another owner's. */
    private Optional<VmLabel> labelOf(Domain domain) throws LibvirtException {
        try {
            VmLabel label = DomainXml.labelOf(domain.getMetadata(METADATA_ELEMENT, DomainXml.NAMESPACE, 0));
            return Optional.of(label).filter(found -> found.owner().equals(owner));
        } catch (LibvirtException e) {
            if (LibvirtErrors.is(e, ErrorNumber.VIR_ERR_NO_DOMAIN_METADATA)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Whatever domain has that name, null when none has. The caller frees it. */
    static @Nullable Domain lookup(Connect connect, VmName name) throws LibvirtException {
        try {
            return connect.domainLookupByName(name.value());
        } catch (LibvirtException e) {
            if (LibvirtErrors.isGone(e)) {
                return null;
            }
            throw e;
        }
    }

    /** All domains that run, anybody's. The caller frees them. */
    static List<Domain> active(Connect connect) throws LibvirtException {
        List<Domain> domains = new ArrayList<>();
        for (int id : connect.listDomains()) {
            try {
                domains.add(connect.domainLookupByID(id));
            } catch (LibvirtException e) {
                if (!LibvirtErrors.isGone(e)) {
                    throw e;
                }
            }
        }
        return domains;
    }

    /** As in {@link VmStatus#process}. */
    static String text(ProcessIdentity process) {
        return process.pid() + ":" + process.startTicks();
    }
}
