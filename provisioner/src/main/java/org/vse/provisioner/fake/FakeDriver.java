package org.vse.provisioner.fake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmUsage;

/**
 * Machines without a hypervisor, for tests of what stands above the driver.
 *
 * <p>Machines are files in a directory: a second driver on the same directory finds them, as a restarted process would.
 * Guests do what a {@link FakeGuest} says. {@link #inject} makes a call fail, hang or die, the next one or the n-th.
 *
 * <pre>{@code
 * FakeDriver driver = new FakeDriver("me", directory, FakeGuest.obedient());
 * driver.inject(FakeDriver.Call.START, new Fault.Die(Fault.When.AFTER));
 * assertThatThrownBy(() -> driver.start(spec, new Origin.Cold())).isInstanceOf(Fault.Crash.class);
 * assertThat(new FakeDriver("me", directory, FakeGuest.obedient()).list()).hasSize(1);
 * }</pre>
 */
public final class FakeDriver implements VmDriver {
    /** A call in which something may go wrong. */
    public enum Call {
        START,
        FIND,
        LIST,
        DESTROY,
        PAUSE,
        RESUME,
        SAVE,
        USAGE,
        AGENT
    }

    private final String owner;
    private final Path directory;
    private final FakeGuest guest;
    private final Set<Capability> capabilities;
    private final Map<Call, Deque<Optional<Fault>>> faults = new EnumMap<>(Call.class);
    private final Map<Call, Integer> counts = new EnumMap<>(Call.class);
    private final List<VmSpec> started = new ArrayList<>();
    private final List<EndListener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService guests = Executors.newCachedThreadPool(FakeDriver::thread);
    private final ExecutorService ends = Executors.newSingleThreadExecutor(FakeDriver::thread);
    private @Nullable Path past;
    private boolean released;
    private Fault.@Nullable Crash crash;

    /** With every capability except starting from copies. */
    public FakeDriver(String owner, Path directory, FakeGuest guest) {
        this(owner, directory, guest, EnumSet.complementOf(EnumSet.of(Capability.SNAPSHOT)));
    }

    public FakeDriver(String owner, Path directory, FakeGuest guest, Set<Capability> capabilities) {
        this.owner = owner;
        this.directory = directory;
        this.guest = guest;
        this.capabilities = Set.copyOf(capabilities);
    }

    /** A machine that is no more. */
    public record Ran(VmLabel label, Instant started, Instant ended) {}

    /** From now on keeps in a directory what ran, across the crashes of processes that use this driver. */
    public synchronized FakeDriver recordingTo(Path records) {
        past = records;
        return this;
    }

    /** What ran and has ended, as such a directory says. */
    public static List<Ran> ran(Path records) {
        return MachineFile.ended(records);
    }

    /** Lets the next call of this kind go wrong, or the first after those that have a fault already. */
    public void inject(Call call, Fault fault) {
        inject(call, 0, fault);
    }

    /** As {@link #inject(Call, Fault)} after {@code passing} calls in which nothing goes wrong. */
    public synchronized void inject(Call call, int passing, Fault fault) {
        Deque<Optional<Fault>> queue = faults.computeIfAbsent(call, key -> new ArrayDeque<>());
        for (int i = 0; i < passing; i++) {
            queue.add(Optional.empty());
        }
        queue.add(Optional.of(fault));
    }

    /** Lets every call that hangs go on; later ones do not hang. */
    public synchronized void release() {
        released = true;
        notifyAll();
    }

    /** How often the call was made, whatever came of it. */
    public synchronized int count(Call call) {
        return counts.getOrDefault(call, 0);
    }

    /** The specs of all machines that this driver has started, oldest first. */
    public synchronized List<VmSpec> started() {
        return List.copyOf(started);
    }

    /** Ends a machine by itself, or behind this driver's back: power-off, crash, kill. An unknown machine is no error. */
    public synchronized void end(VmName name, String why) {
        if (MachineFile.end(directory, name, past) && !ends.isShutdown()) {
            ends.execute(() -> listeners.forEach(listener -> listener.ended(name, why)));
        }
        notifyAll();
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public VmStatus start(VmSpec spec, Origin origin) {
        if (!spec.label().owner().equals(owner)) {
            throw new IllegalArgumentException("label of another owner: " + spec.label());
        }
        MachineFile machine = call(Call.START, () -> {
            requireDeclared(origin);
            if (MachineFile.read(directory, spec.name()).isPresent()) {
                throw VseException.of(ErrorCode.JOB_STATE, "there is a machine '" + spec.name() + "' already");
            }
            MachineFile file = origin instanceof Origin.Checkpoint checkpoint
                    ? MachineFile.saved(checkpoint.memory()).as(spec)
                    : MachineFile.of(spec);
            file.writeTo(directory);
            started.add(spec);
            return file;
        });
        if (origin instanceof Origin.Cold) {
            guests.execute(() -> guest.booted(new Seen(machine)));
        }
        return machine.status();
    }

    @Override
    public Optional<VmStatus> find(VmName name) {
        return call(Call.FIND, () -> ours(name).map(MachineFile::status));
    }

    @Override
    public List<VmStatus> list() {
        return call(Call.LIST, () -> {
            try (Stream<Path> files = Files.list(directory)) {
                return files.map(file -> file.getFileName().toString())
                        .filter(file -> file.endsWith(".json"))
                        .map(file -> new VmName(file.substring(0, file.length() - ".json".length())))
                        .sorted((a, b) -> a.value().compareTo(b.value()))
                        .flatMap(name -> ours(name).stream())
                        .map(MachineFile::status)
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Override
    public void destroy(VmName name) {
        call(Call.DESTROY, () -> {
            boolean was = ours(name).isPresent() && MachineFile.end(directory, name, past);
            notifyAll();
            return was;
        });
    }

    @Override
    public void pause(VmName name) {
        call(Call.PAUSE, () -> change(name, VmStatus.State.PAUSED));
    }

    @Override
    public void resume(VmName name) {
        call(Call.RESUME, () -> change(name, VmStatus.State.RUNNING));
    }

    @Override
    public long save(VmName name, Path memory) {
        return call(Call.SAVE, () -> {
            MachineFile machine = require(name);
            if (machine.state() != VmStatus.State.PAUSED) {
                throw VseException.of(ErrorCode.JOB_STATE, "machine '" + name + "' is not paused and cannot be saved");
            }
            machine.saveTo(memory);
            MachineFile.end(directory, name, past);
            return 0L;
        });
    }

    @Override
    public long saved(Path memory) {
        if (!Files.exists(memory)) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "the file is not the saved memory of a machine")
                    .at(memory.toString())
                    .fact("found", "nothing");
        }
        return 0;
    }

    @Override
    public String hypervisor() {
        return "fake 1";
    }

    @Override
    public VmUsage usage(VmName name) {
        return call(Call.USAGE, () -> {
            MachineFile machine = require(name);
            return new VmUsage(
                    Duration.between(machine.started(), Instant.now()).toNanos(), machine.memoryBytes());
        });
    }

    @Override
    public String agent(VmName name, String json, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        synchronized (this) {
            Optional<Fault> fault = begin(Call.AGENT);
            if (fault.isPresent() && fault.get() instanceof Fault.Hang) {
                silence(name, end);
            }
            before(Call.AGENT, fault);
            if (require(name).state() == VmStatus.State.PAUSED) {
                silence(name, end);
            }
            after(Call.AGENT, fault);
        }
        Optional<String> reply = guest.answer(new Seen(require(name)), json);
        if (reply.isEmpty()) {
            synchronized (this) {
                throw silence(name, end);
            }
        }
        if (reply.get().getBytes(StandardCharsets.UTF_8).length > GuestReply.MAX_BYTES) {
            throw VseException.of(ErrorCode.GUEST_PROTOCOL, "the agent of machine '" + name + "' says too much")
                    .fact("allowed", GuestReply.MAX_BYTES);
        }
        return reply.get();
    }

    @Override
    public void onEnd(EndListener listener) {
        listeners.add(listener);
    }

    /** Machines go on. What has ended before is still told. */
    @Override
    public void close() {
        guests.shutdownNow();
        ends.shutdown();
        try {
            if (!guests.awaitTermination(5, TimeUnit.SECONDS) || !ends.awaitTermination(5, TimeUnit.SECONDS)) {
                throw new IllegalStateException("a guest or a listener for ended machines does not return");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized <T> T call(Call call, Supplier<T> effect) {
        Optional<Fault> fault = begin(call);
        before(call, fault);
        T result = effect.get();
        after(call, fault);
        return result;
    }

    private Optional<Fault> begin(Call call) {
        if (crash != null) {
            throw crash;
        }
        counts.merge(call, 1, Integer::sum);
        Deque<Optional<Fault>> queue = faults.get(call);
        return queue == null || queue.isEmpty() ? Optional.empty() : queue.remove();
    }

    private void before(Call call, Optional<Fault> fault) {
        if (fault.isEmpty()) {
            return;
        }
        if (fault.get() instanceof Fault.Fail fail) {
            throw fail.failure();
        }
        if (fault.get() instanceof Fault.Die die && die.when() == Fault.When.BEFORE) {
            throw die(call);
        }
        if (fault.get() instanceof Fault.Hang) {
            try {
                while (!released) {
                    wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while " + call + " hung")
                        .because(e);
            }
        }
    }

    private void after(Call call, Optional<Fault> fault) {
        if (fault.isPresent() && fault.get() instanceof Fault.Die die && die.when() == Fault.When.AFTER) {
            throw die(call);
        }
    }

    private Fault.Crash die(Call call) {
        crash = new Fault.Crash(call.name());
        return crash;
    }

    /** Waits like somebody who is not answered, on this monitor. Returns only to throw, or when hanging calls are released. */
    private VseException silence(VmName name, long end) {
        try {
            while (!released) {
                require(name);
                long left = (end - System.nanoTime() + 999_999) / 1_000_000;
                if (left <= 0) {
                    break;
                }
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while machine '" + name + "' was asked")
                    .because(e);
        }
        throw VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "the agent of machine '" + name + "' does not answer");
    }

    private boolean change(VmName name, VmStatus.State state) {
        require(name).in(state).writeTo(directory);
        return true;
    }

    private Optional<MachineFile> ours(VmName name) {
        return MachineFile.read(directory, name)
                .filter(machine -> machine.label().owner().equals(owner));
    }

    private MachineFile require(VmName name) {
        return ours(name)
                .orElseThrow(() -> VseException.of(ErrorCode.GUEST_DIED, "there is no machine '" + name + "'"));
    }

    private void requireDeclared(Origin origin) {
        if (origin instanceof Origin.Cold) {
            return;
        }
        Capability needed = origin instanceof Origin.Checkpoint ? Capability.CHECKPOINT : Capability.SNAPSHOT;
        if (!capabilities.contains(needed)) {
            throw VseException.of(ErrorCode.NOT_SUPPORTED, "this driver does not declare " + needed);
        }
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "fake-machine");
        thread.setDaemon(true);
        return thread;
    }

    /** A machine as its guest sees it. */
    private final class Seen implements FakeMachine {
        private final MachineFile machine;

        Seen(MachineFile machine) {
            this.machine = machine;
        }

        @Override
        public VmName name() {
            return machine.name();
        }

        @Override
        public VmLabel label() {
            return machine.label();
        }

        @Override
        public String commandLine() {
            return machine.commandLine();
        }

        @Override
        public void write(String channel, byte[] bytes) {
            Path file = machine.channels().get(channel);
            if (file == null) {
                throw VseException.of(ErrorCode.INTERNAL, "machine '" + name() + "' has no channel '" + channel + "'");
            }
            append(file, bytes);
        }

        @Override
        public void print(String text) {
            append(machine.console(), text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void end(String why) {
            FakeDriver.this.end(name(), why);
        }

        private void append(Path file, byte[] bytes) {
            if (MachineFile.read(directory, name()).isEmpty()) {
                return;
            }
            try {
                Files.write(file, bytes, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
