package org.vse.provisioner.accelerator;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.accelerator.ProbeRecord.Result;

/**
 * {@code accelerator: auto}: KVM after a guest has booted under it, else TCG. What a probe has shown is kept in a file and
 * holds for as long as host, QEMU and {@code /dev/kvm} are the same; several jobs at once make one probe.
 */
public final class ProbedAccelerator implements AcceleratorChoice {
    /** A kernel needs less than a second under KVM, and emulated by one core in a VM three. */
    static final Duration DEADLINE = Duration.ofSeconds(10);

    /** Whether there is a device at all is the same for every group. */
    private static final int ANY_GROUP = 0;

    private static final Logger LOG = LoggerFactory.getLogger(ProbedAccelerator.class);

    private final AcceleratorProbe probe;
    private final IntFunction<ProbeHost> host;
    private final Path file;
    private final Clock clock;
    private final ReentrantLock one = new ReentrantLock();
    private Optional<ProbeRecord> record = Optional.empty();
    private Optional<Result> said = Optional.empty();

    /**
     * @param host reads the host, for a group of machines
     * @param file where results are kept
     */
    public ProbedAccelerator(AcceleratorProbe probe, IntFunction<ProbeHost> host, Path file, Clock clock) {
        this.probe = probe;
        this.host = host;
        this.file = file;
        this.clock = clock;
    }

    /** @throws VseException STEP_INTERRUPTED when this thread was interrupted; the next one probes again */
    @Override
    public Accelerator choose(Supplier<ProbeGuest> asked, Waiting waiting) {
        if (!one.tryLock()) {
            waiting.until("another job's probe of KVM", clock.instant().plus(DEADLINE));
            lock();
        }
        try {
            if (!host.apply(ANY_GROUP).hasKvm()) {
                return say(new Result("", Accelerator.TCG, "there is no /dev/kvm", now()));
            }
            ProbeGuest guest = asked.get();
            ProbeHost now = host.apply(guest.gid());
            if (record.isEmpty()) {
                record = ProbeRecord.read(file);
            }
            Optional<Result> known = record.flatMap(r -> r.known(now, guest.kernel()));
            return say(known.isPresent() ? known.get() : probed(now, guest, waiting));
        } finally {
            one.unlock();
        }
    }

    private Result probed(ProbeHost now, ProbeGuest guest, Waiting waiting) {
        waiting.until("a probe guest to boot under KVM", clock.instant().plus(DEADLINE));
        AcceleratorProbe.Answer answer = probe.boot(guest, DEADLINE);
        Result result = result(guest, answer.booted() ? Accelerator.KVM : Accelerator.TCG, answer.evidence());
        ProbeRecord more =
                record.orElseGet(() -> new ProbeRecord(now, List.of())).with(now, result);
        more.write(file);
        record = Optional.of(more);
        return result;
    }

    private Result result(ProbeGuest guest, Accelerator accelerator, String evidence) {
        return new Result(guest.kernel(), accelerator, evidence, now());
    }

    private String now() {
        return clock.instant().toString();
    }

    /** Once for each result that differs from the one before. */
    private Accelerator say(Result result) {
        if (said.filter(s -> s.evidence().equals(result.evidence())).isEmpty()) {
            LOG.info("machines run under {}: {}", result.accelerator(), result.evidence());
            said = Optional.of(result);
        }
        return result.accelerator();
    }

    private void lock() {
        try {
            one.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "waiting for a probe of KVM was interrupted")
                    .because(e);
        }
    }
}
