package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.DomainInfo.DomainState;
import org.libvirt.LibvirtException;
import org.libvirt.MemoryStatistic;
import org.libvirt.event.DomainEvent;
import org.libvirt.event.DomainEventType;
import org.libvirt.event.StoppedDetail;
import org.libvirt.event.SuspendedDetail;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.HostTopology;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmUsage;

/**
 * Machines by libvirt and QEMU, as transient domains of a {@link PrivateLibvirtd}: libvirt forgets a machine when it ends.
 *
 * <p>Machines survive this process, the driver and libvirtd itself. Domains with another owner's label, or none, are never
 * listed and never touched. A JVM from 24 on warns of native access unless it is started with {@code
 * --enable-native-access=ALL-UNNAMED}.
 */
public final class LibvirtDriver implements VmDriver {
    private static final Logger LOG = LoggerFactory.getLogger(LibvirtDriver.class);
    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.PIN,
            Capability.FILE_CHANNEL,
            Capability.RECOVER,
            Capability.SHARE_9P,
            Capability.TAP,
            Capability.USER_NETWORK,
            Capability.CHECKPOINT);
    /** A tap of the host is root's to make. */
    private static final Set<Capability> CAPABILITIES_OF_SESSION = Set.of(
            Capability.PIN,
            Capability.FILE_CHANNEL,
            Capability.RECOVER,
            Capability.SHARE_9P,
            Capability.USER_NETWORK,
            Capability.CHECKPOINT);
    /** VIR_DOMAIN_MEMORY_STAT_RSS, KiB. */
    private static final int MEMORY_STAT_RSS = 7;

    private static final int MEMORY_STAT_COUNT = 16;
    private static final int SIGKILL = 9;

    private final String owner;
    private final PrivateLibvirtd daemon;
    private final OurDomains domains;
    private final KnownMachines known = new KnownMachines();
    private final LibvirtSession session;
    private final AgentLine agents;
    private final HostTopology host = HostTopology.read(Path.of("/sys/devices/system"));

    /**
     * Connects at the first call, and starts {@code daemon} then unless it runs.
     *
     * @param owner machines with this owner in their label are this driver's, whoever started them
     */
    public LibvirtDriver(String owner, PrivateLibvirtd daemon) {
        this.owner = owner;
        this.daemon = daemon;
        this.domains = new OurDomains(owner, daemon);
        this.session = new LibvirtSession(daemon, new Events());
        this.agents = new AgentLine(session);
    }

    @Override
    public Set<Capability> capabilities() {
        return daemon.scope() == LibvirtScope.SYSTEM ? CAPABILITIES : CAPABILITIES_OF_SESSION;
    }

    @Override
    public VmStatus start(VmSpec spec, Origin origin) {
        if (origin instanceof Origin.Snapshot) {
            throw VseException.of(ErrorCode.NOT_SUPPORTED, "this driver does not declare " + Capability.SNAPSHOT);
        }
        if (!spec.label().owner().equals(owner)) {
            throw new IllegalArgumentException("label of another owner: " + spec.label());
        }
        String xml = DomainXml.of(spec, host, agentSocket(spec.name()));
        refuseTaken(spec.name());
        known.starting(spec.uuid(), spec.name());
        try {
            VmStatus status = create(spec, xml, origin);
            known.started(spec.uuid());
            return status;
        } catch (RuntimeException e) {
            known.failed(spec.uuid());
            throw e;
        }
    }

    @Override
    public Optional<VmStatus> find(VmName name) {
        return session.repeatable("look for machine '" + name + "'", connect -> find(connect, name));
    }

    @Override
    public List<VmStatus> list() {
        return session.repeatable("list its machines", connect -> {
            List<VmStatus> machines = new ArrayList<>();
            for (Domain domain : OurDomains.active(connect)) {
                try {
                    domains.statusOf(domain).ifPresent(machines::add);
                } finally {
                    domain.free();
                }
            }
            return List.copyOf(machines);
        });
    }

    @Override
    public void destroy(VmName name) {
        session.repeatable("destroy machine '" + name + "'", connect -> {
            Domain domain = OurDomains.lookup(connect, name);
            if (domain == null) {
                return false;
            }
            try {
                return domains.isOurs(domain) && destroy(domain);
            } finally {
                domain.free();
            }
        });
    }

    @Override
    public void pause(VmName name) {
        change(name, "pause", DomainState.VIR_DOMAIN_PAUSED, Domain::suspend);
    }

    @Override
    public void resume(VmName name) {
        change(name, "resume", DomainState.VIR_DOMAIN_RUNNING, Domain::resume);
    }

    @Override
    public long save(VmName name, Path memory) {
        String doing = "save machine '" + name + "'";
        if (Files.exists(memory)) {
            throw VseException.of(ErrorCode.JOB_STATE, "there is a file where a machine's memory is to be")
                    .at(memory.toString());
        }
        Connect connect = session.connection();
        try {
            Domain domain = OurDomains.lookup(connect, name);
            if (domain == null) {
                throw gone(name);
            }
            try {
                save(domain, name, memory);
            } finally {
                domain.free();
            }
        } catch (LibvirtException e) {
            throw LibvirtErrors.isGone(e) ? gone(name).because(e) : LibvirtErrors.failed(doing, e);
        }
        SaveImage image = SaveImage.of(memory);
        image.blank();
        return image.stream();
    }

    @Override
    public long saved(Path memory) {
        return SaveImage.of(memory).stream();
    }

    @Override
    public String hypervisor() {
        return session.repeatable("ask libvirt for the version of its hypervisor", connect -> {
            long version = connect.getVersion();
            return "QEMU " + version / 1_000_000 + "." + version / 1_000 % 1_000 + "." + version % 1_000;
        });
    }

    @Override
    public VmUsage usage(VmName name) {
        return withOurs(name, "measure", domain -> {
            long resident = 0;
            for (MemoryStatistic statistic : domain.memoryStats(MEMORY_STAT_COUNT)) {
                if (statistic.getTag() == MEMORY_STAT_RSS) {
                    resident = statistic.getValue() * 1024;
                }
            }
            return new VmUsage(domain.getInfo().cpuTime, resident);
        });
    }

    @Override
    public String agent(VmName name, String json, Duration timeout) {
        return agents.ask(name, json, timeout);
    }

    @Override
    public void onEnd(EndListener listener) {
        known.listen(listener);
        // Ends are told only while connected.
        session.connection();
    }

    /** Ends the driver; machines and libvirtd go on. */
    @Override
    public void close() {
        agents.close();
        session.close();
        known.close();
    }

    private @Nullable Path agentSocket(VmName name) {
        return daemon.scope() == LibvirtScope.SYSTEM
                ? null
                : daemon.directories().agents().resolve(name.value());
    }

    private void refuseTaken(VmName name) {
        boolean taken = session.repeatable("look for machine '" + name + "'", connect -> {
            Domain domain = OurDomains.lookup(connect, name);
            if (domain == null) {
                return false;
            }
            domain.free();
            return true;
        });
        if (taken) {
            throw VseException.of(ErrorCode.JOB_STATE, "there is a machine '" + name + "' already");
        }
    }

    private VmStatus create(VmSpec spec, String xml, Origin origin) {
        String doing = "start machine '" + spec.name() + "'";
        Domain domain;
        try {
            domain = session.once(connect -> begin(connect, spec, xml, origin));
        } catch (LibvirtException e) {
            // libvirt leaves nothing of a domain that it could not start, unless libvirtd itself ended meanwhile.
            destroy(spec.name());
            throw LibvirtErrors.failed(doing, e)
                    .fact("disk", spec.disk())
                    .fact("user", spec.uid() + ":" + spec.gid())
                    .fact("log", daemon.directories().machineLog(spec.name().value()));
        }
        try {
            ProcessIdentity qemu = daemon.processOf(spec.name().value(), spec.uuid())
                    .orElseThrow(() -> VseException.of(
                                    ErrorCode.LIBVIRT_FAILED, "machine '" + spec.name() + "' ended at its start")
                            .fact(
                                    "log",
                                    daemon.directories().machineLog(spec.name().value())));
            List<Path> files = Stream.concat(
                            spec.channels().stream().map(VmSpec.Channel::file), Stream.of(spec.console()))
                    .toList();
            ChannelFiles.requireHeld(spec.name().value(), qemu, files);
            VmStatus.State state = origin instanceof Origin.Checkpoint ? VmStatus.State.PAUSED : VmStatus.State.RUNNING;
            return new VmStatus(spec.name(), spec.label(), state, OurDomains.text(qemu));
        } catch (RuntimeException e) {
            destroy(spec.name());
            throw e;
        } finally {
            free(domain);
        }
    }

    private static Domain begin(Connect connect, VmSpec spec, String xml, Origin origin) throws LibvirtException {
        if (origin instanceof Origin.Checkpoint checkpoint) {
            SaveImage.of(checkpoint.memory(), checkpoint.state()).describe(xml);
            connect.restore(checkpoint.memory().toString());
            return connect.domainLookupByName(spec.name().value());
        }
        return connect.domainCreateXML(xml, 0);
    }

    private Optional<VmStatus> find(Connect connect, VmName name) throws LibvirtException {
        Domain domain = OurDomains.lookup(connect, name);
        if (domain == null) {
            return Optional.empty();
        }
        try {
            return domains.statusOf(domain);
        } finally {
            domain.free();
        }
    }

    /** Ends QEMU at once: libvirt alone asks it first, and waits 10 s for one that hangs. */
    private boolean destroy(Domain domain) throws LibvirtException {
        UUID uuid = UUID.fromString(domain.getUUIDString());
        String name = domain.getName();
        known.destroying(uuid);
        daemon.processOf(name, uuid).ifPresent(qemu -> qemu.signal(SIGKILL));
        try {
            domain.destroy();
        } catch (LibvirtException e) {
            if (!LibvirtErrors.isGone(e)) {
                known.notDestroyed(uuid);
                throw e;
            }
        }
        deleteIfThere(daemon.directories().machineLog(name));
        return true;
    }

    private void save(Domain domain, VmName name, Path memory) throws LibvirtException {
        if (!domains.isOurs(domain)) {
            throw gone(name);
        }
        if (domain.getInfo().state != DomainState.VIR_DOMAIN_PAUSED) {
            throw VseException.of(ErrorCode.JOB_STATE, "machine '" + name + "' is not paused and cannot be saved");
        }
        UUID uuid = UUID.fromString(domain.getUUIDString());
        known.destroying(uuid);
        try {
            domain.save(memory.toString());
        } catch (LibvirtException e) {
            known.notDestroyed(uuid);
            deleteIfThere(memory);
            throw e;
        }
        deleteIfThere(daemon.directories().machineLog(name.value()));
    }

    private static void deleteIfThere(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("cannot delete '{}'", file, e);
        }
    }

    private void change(VmName name, String doing, DomainState wanted, Change change) {
        withOurs(name, doing, domain -> {
            if (domain.getInfo().state != wanted) {
                change.apply(domain);
            }
            return true;
        });
    }

    private <T> T withOurs(VmName name, String doing, Question<T> question) {
        return session.repeatable(doing + " machine '" + name + "'", connect -> {
            Domain domain = OurDomains.lookup(connect, name);
            if (domain == null) {
                throw gone(name);
            }
            try {
                if (!domains.isOurs(domain)) {
                    throw gone(name);
                }
                return question.ask(domain);
            } catch (LibvirtException e) {
                if (LibvirtErrors.isGone(e)) {
                    throw gone(name).because(e);
                }
                throw e;
            } finally {
                domain.free();
            }
        });
    }

    private static VseException gone(VmName name) {
        return VseException.of(ErrorCode.GUEST_DIED, "there is no machine '" + name + "'");
    }

    private static void free(Domain domain) {
        try {
            domain.free();
        } catch (LibvirtException e) {
            LOG.debug("freeing a domain", e);
        }
    }

    @FunctionalInterface
    private interface Change {
        void apply(Domain domain) throws LibvirtException;
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask(Domain domain) throws LibvirtException;
    }

    /** What libvirt tells by itself. */
    private final class Events implements LibvirtSession.Observer {
        @Override
        public void connected(Connect connect) throws LibvirtException {
            Map<UUID, VmName> living = new HashMap<>();
            for (Domain domain : OurDomains.active(connect)) {
                try {
                    if (domains.statusOf(domain).isPresent()) {
                        living.put(UUID.fromString(domain.getUUIDString()), new VmName(domain.getName()));
                    }
                } finally {
                    domain.free();
                }
            }
            known.reconcile(living);
            agents.changed();
        }

        @Override
        public void lifecycle(Domain domain, DomainEvent event) throws LibvirtException {
            if (event.getType() == DomainEventType.STOPPED) {
                StoppedDetail detail = event.getDetail();
                known.ended(UUID.fromString(domain.getUUIDString()), word(detail));
            } else if (event.getType() == DomainEventType.SUSPENDED && isOutOfRoom(event)) {
                known.ended(UUID.fromString(domain.getUUIDString()), NO_ROOM);
            }
            agents.changed();
        }

        @Override
        public void agent(Domain domain) {
            agents.changed();
        }

        /** QEMU reports errors of a disk to the guest, except that the host has no room: then it pauses. */
        private static boolean isOutOfRoom(DomainEvent event) {
            SuspendedDetail detail = event.getDetail();
            return detail == SuspendedDetail.IOERROR;
        }

        /** A QEMU that vanishes from its monitor's other end is FAILED in libvirt's words: somebody killed it. */
        private static String word(StoppedDetail detail) {
            return switch (detail) {
                case SHUTDOWN -> "shutdown";
                case CRASHED -> "crashed";
                default -> "killed";
            };
        }
    }
}
