package org.vse.job.daemon;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.CacheRoom;
import org.vse.imagestore.DifferenceCache;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Nearest;
import org.vse.imagestore.build.PackageFetch;
import org.vse.job.OwnDirectory;
import org.vse.job.Standing;
import org.vse.job.Version;
import org.vse.job.hook.HookMarks;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.StepWatch;
import org.vse.job.log.DaemonLog;
import org.vse.job.log.JobLog;
import org.vse.job.log.LogFormat;
import org.vse.job.metrics.NodeMetrics;
import org.vse.job.step.Differences;
import org.vse.job.step.JobGroup;
import org.vse.job.step.Node;
import org.vse.job.step.Steps;
import org.vse.ledger.Ledger;
import org.vse.policy.Share;
import org.vse.process.CommandRunner;
import org.vse.process.cgroup.Cgroups;
import org.vse.process.cgroup.Hierarchy;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.accelerator.AcceleratorChoice;
import org.vse.provisioner.accelerator.KvmProbe;
import org.vse.provisioner.accelerator.ProbeHost;
import org.vse.provisioner.accelerator.ProbeRecord;
import org.vse.provisioner.accelerator.ProbedAccelerator;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.SiteKey;
import org.vse.provisioner.edit.EditMachine;
import org.vse.provisioner.libvirt.LibvirtDriver;
import org.vse.provisioner.libvirt.LibvirtScope;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.share.ShareServer;
import org.vse.scheduler.local.CoreLease;

/** {@code vsed}: puts the parts together, takes up what an earlier daemon left, and serves until it is told to end. */
public final class Vsed {
    private static final Logger LOG = LoggerFactory.getLogger(Vsed.class);

    private final Path config;
    private final Path state;
    private final Path run;
    private final ImageStore images;
    private final int uid = Standing.uid();

    /**
     * Takes where things are.
     *
     * @param config directory of {@code vsed.yaml}
     * @param state lasting files
     * @param run socket and whatever ends with the host
     * @param images what jobs can boot
     */
    public Vsed(Path config, Path state, Path run, ImageStore images) {
        this.config = config;
        this.state = state;
        this.run = run;
        this.images = images;
    }

    /**
     * Runs the daemon to its end.
     *
     * @param ready gets the line {@code ready} once the socket accepts calls; when it never will, the rendered failure
     * @return the exit code of the process
     */
    public int run(PrintStream ready) {
        log(LogFormat.TEXT, "");
        try {
            makeDirectories();
            try (FileChannel file = FileChannel.open(
                            state.resolve("vsed.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = file.tryLock()) {
                if (lock == null) {
                    throw VseException.of(ErrorCode.DAEMON_START_FAILED, "another vsed has this state directory")
                            .at(state.toString())
                            .next("vse job ls, or give this one another VSE_STATE_DIR");
                }
                serve(ready);
                return 0;
            }
        } catch (VseException e) {
            LOG.error("vsed cannot run", e);
            ready.println(e.render());
            ready.flush();
            return 1;
        } catch (IOException e) {
            LOG.error("vsed cannot run", e);
            ready.println(VseException.of(ErrorCode.STORAGE_FAILED, "the daemon's directories cannot be used: " + e)
                    .render());
            ready.flush();
            return 1;
        }
    }

    /**
     * Standard error is the log; standard output is the report to whoever starts the daemon, and nobody reads it later. What the
     * configuration says of it counts from when it was read.
     */
    private static void log(LogFormat format, String node) {
        DaemonLog.begin(System.err, format, node);
    }

    private void serve(PrintStream ready) {
        CommandRunner commands = new CommandRunner();
        List<Hierarchy> hierarchies = Cgroups.hierarchies();
        VsedConfig settings = NodeFacts.config(config.resolve("vsed.yaml"), state, run, commands, hierarchies);
        log(ConfigFile.logFormat(config.resolve("vsed.yaml")), settings.node());
        CurrentPolicy policy = new CurrentPolicy(PolicyOnDisk.of(config));
        ObjectMapper json = json();
        String owner = owner();
        Cgroups cgroups = Cgroups.open(owner, hierarchies, run.resolve("cgroups"));
        if (cgroups.missing().isEmpty()) {
            LOG.info("jobs are bound by control groups {}", cgroups);
        } else {
            LOG.warn("jobs run, but not bound or counted is: {}", String.join("; ", cgroups.missing()));
        }
        CountDownLatch down = new CountDownLatch(1);
        JobTable table = new JobTable();
        ImageUse use = new ImageUse(table);
        PrivateLibvirtd libvirtd = new PrivateLibvirtd(state, run, scope(), commands);
        boolean idle = false;
        try (Ledger ledger = SiteLedger.open(config.resolve("vsed.yaml"), state.resolve("ledger"));
                SiteLedger siteLedger = SiteLedger.of(config.resolve("vsed.yaml"), settings.node(), Clock.systemUTC());
                NodeMetrics metrics = new NodeMetrics(settings.node(), Version.text());
                MetricsDesk metricsDesk = new MetricsDesk(metrics::text);
                GrowthWatch growth = new GrowthWatch();
                Neighbours neighbours = Neighbours.of(settings, json, growth);
                VmDriver driver = new LibvirtDriver(owner, libvirtd)) {
            JobLog jobLog = new JobLog();
            StepWatch watch = metrics.and(jobLog);
            ledger.onRecorded(metrics::recorded);
            ledger.onRecorded(jobLog::recorded);
            Path file = config.resolve("vsed.yaml");
            CacheRoom room = NodeImages.room(images, file, use);
            Differences differences = new Differences(
                    images,
                    new DifferenceCache(images, room, Nearest.packages()),
                    new PackageFetch(state.resolve("packages"), config.resolve("packages")),
                    new EditMachine.Ends(driver));
            Node node = new Node(
                    settings.node(),
                    owner,
                    accelerators(settings, libvirtd, commands),
                    new Node.Timeouts(settings.boot(), settings.setup(), settings.start(), settings.grace()),
                    settings.limits(),
                    cgroups,
                    NodeImages.store(images, file, room, neighbours::images),
                    differences,
                    driver,
                    new JobNetwork(commands, owner),
                    neighbours.sisters(),
                    new ShareServer(commands),
                    ledger,
                    new CheckpointStore(settings.checkpoints(), SiteKey.in(settings.checkpointKey())),
                    commands,
                    growth,
                    Clock.systemUTC());
            driver.onEnd((name, why) -> table.ofMachine(name).ifPresent(job -> {
                JobGroup.ended(node, job, name, why);
                growth.wake(job.files().directory());
            }));
            List<Job> kept = JobDirectories.open(state, run, json, node.clock());
            kept.forEach(table::add);
            LocalDesk desk = new LocalDesk(
                    node,
                    settings,
                    json,
                    table,
                    whenOver -> new JobRunner(
                            node,
                            Steps.of(node, neighbours.leases()).andThen(steps -> steps.telling(watch)),
                            whenOver.andThen(this::forgetMarks)),
                    leases(kept, settings));
            NodeGauges.into(metrics, table, desk, siteLedger, ledger, node.clock());
            use.waitingAt(desk);
            Reaper reaper = new Reaper(node, run, table);
            reaper.reap();
            Parts parts = new Parts(node, json, table, desk, neighbours.leases(), new HostUsers(commands));
            LeftJobs.endWhatEnded(run, kept);
            LeftJobs.takeUp(node, kept, desk.runner());
            reaper.every(settings.reap(), desk.runner()::finishStuck);
            ObjectNode health = health(json, settings, owner);
            MetricsDesk.address(file).ifPresent(address -> {
                InetSocketAddress at = metricsDesk.listen(address, json);
                health.put("metrics", NetUtil.toSocketAddressString(at));
                LOG.info("vsed has its metrics at {}", at);
            });
            WalltimeGuard guard = new WalltimeGuard(node, table, new SaveRate(state.resolve("save-rate")));
            VsedApi api = new VsedApi(
                    node,
                    json,
                    table,
                    desk,
                    policy,
                    new HostUsers(commands),
                    health,
                    before -> siteLedger.prune(ledger, before),
                    down);
            SiteView view = new SiteView(
                    json,
                    table,
                    desk,
                    siteLedger,
                    neighbours.client(),
                    () -> neighbours.names(siteLedger.nodes(ledger)));
            try (reaper;
                    parts;
                    guard;
                    view;
                    ApiServer server = new ApiServer(metricsDesk.before(view.before(api::answer)), json, uid)) {
                neighbours.serve(view.beforeNodes(new PeerApi(
                        parts,
                        new PeerImages(new DirectorySource(images.root())),
                        json,
                        health,
                        siteLedger.taking(ledger),
                        Clock.systemUTC())::answer));
                siteLedger.begin(ledger, neighbours.client(), json);
                parts.watch();
                guard.watch();
                neighbours.watch(node, table);
                server.listen(run.resolve("vsed.sock"));
                LOG.info("vsed serves node {} with cores {}", settings.node(), settings.cores());
                ready.println("ready");
                ready.flush();
                down.await();
                LOG.info("vsed ends; {} job(s) go on without it", desk.active().size());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                LOG.info("vsed was interrupted");
                return;
            }
            idle = desk.active().isEmpty() && driver.list().isEmpty();
        }
        if (idle) {
            libvirtd.stop();
        }
    }

    /** An epilogue may never come; a starter that may yet come has to find the mark. */
    private void forgetMarks(Job job) {
        try {
            if (job.isAttached()) {
                FileTime admitted = Files.getLastModifiedTime(job.files().record());
                HookMarks.remove(run, job.record().scheduler(), job.record().id(), admitted);
            }
        } catch (IOException e) {
            LOG.warn("job {}: what its hooks have noted stays", job.record().id(), e);
        }
    }

    /** What the site has decided, else what a probe shows in front of the first machine. */
    private AcceleratorChoice accelerators(VsedConfig settings, PrivateLibvirtd libvirtd, CommandRunner commands) {
        return settings.accelerator()
                .map(AcceleratorChoice::fixed)
                .orElseGet(() -> new ProbedAccelerator(
                        new KvmProbe(
                                commands,
                                state.resolve("accelerator.log"),
                                settings.standing() == Standing.ROOT ? libvirtd::mountNamespace : Optional::empty),
                        gid -> ProbeHost.read(Path.of("/"), CommandRunner.find(ProbeHost.QEMU), gid),
                        state.resolve(ProbeRecord.FILE),
                        Clock.systemUTC()));
    }

    private static List<CoreLease> leases(List<Job> kept, VsedConfig settings) {
        List<CoreLease> leases = new ArrayList<>();
        for (Job job : kept) {
            List<JobRecord.Machine> here = job.record().machinesOn(settings.node());
            if (!job.state().isFinal() && !here.isEmpty()) {
                List<Integer> cores = here.stream()
                        .flatMap(machine -> machine.cores().stream())
                        .toList();
                long memory = settings.limits()
                        .memory(
                                here.size(),
                                here.get(0).memoryBytes(),
                                job.record().share() == Share.NFS);
                leases.add(new CoreLease(
                        job.record().id(), cores, memory, job.record().sharesCores()));
            }
        }
        return leases;
    }

    private void makeDirectories() throws IOException {
        boolean isRoot = Standing.of(uid) == Standing.ROOT;
        if (!isRoot) {
            OwnDirectory.make(state, uid);
            OwnDirectory.make(run, uid);
        }
        make(state, isRoot ? "rwxr-xr-x" : "rwx------");
        make(state.resolve("jobs"), isRoot ? "rwx--x--x" : "rwx------");
        make(run, isRoot ? "rwxr-xr-x" : "rwx------");
        make(run.resolve("j"), isRoot ? "rwx--x--x" : "rwx------");
    }

    private LibvirtScope scope() {
        return Standing.of(uid) == Standing.ROOT ? LibvirtScope.SYSTEM : LibvirtScope.SESSION;
    }

    private static void make(Path directory, String mode) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
    }

    /** The id of this installation: made once, kept with the state. */
    private String owner() {
        Path file = state.resolve("owner");
        try {
            if (!Files.exists(file)) {
                Path part = state.resolve("owner.part");
                Files.writeString(part, UUID.randomUUID() + "\n");
                Files.move(part, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            }
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the installation's id cannot be kept")
                    .at(file.toString())
                    .because(e);
        }
    }

    private static ObjectNode health(ObjectMapper json, VsedConfig settings, String owner) {
        return json.createObjectNode()
                .put("version", Version.text())
                .put("pid", ProcessHandle.current().pid())
                .put("owner", owner)
                .put("node", settings.node())
                .put("uid", Standing.uid())
                .put("since", Clock.systemUTC().instant().toString());
    }

    /** Instants as ISO 8601 texts; unknown members are errors. */
    static ObjectMapper json() {
        return JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }
}
