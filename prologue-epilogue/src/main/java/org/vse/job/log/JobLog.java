package org.vse.job.log;

import java.time.Duration;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.StepWatch;
import org.vse.ledger.LedgerEvent;

/**
 * One line for each thing that happens to a job on this node: every event of the node's ledger and every end of a step. A
 * line has codes, numbers and names; never an environment, an argument or what a program has said.
 */
public final class JobLog implements StepWatch {
    private static final Logger LOG = LoggerFactory.getLogger(JobLog.class);
    private static final Lines LINES = new Lines();

    /** Writes the line of an event. */
    public void recorded(LedgerEvent event) {
        JobScope.in(event.job(), () -> LOG.info("{}", event.in(LINES)));
    }

    @Override
    public void ended(Job job, String step, End end, Duration took) {
        JobScope.in(
                job.record(),
                () -> LOG.info("step {} {} after {}", step, end.name().toLowerCase(Locale.ROOT), seconds(took)));
    }

    private static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.3f s", time.toMillis() / 1000.0);
    }

    private static final class Lines implements LedgerEvent.Cases<String> {
        @Override
        public String admitted(LedgerEvent.JobAdmitted event) {
            return "admitted: image " + event.image() + " on " + String.join(" ", event.nodes());
        }

        @Override
        public String fetched(LedgerEvent.ImageFetched event) {
            return "image " + event.image() + " fetched: " + event.bytes() + " bytes in " + seconds(event.took());
        }

        @Override
        public String checkpointed(LedgerEvent.Checkpointed event) {
            return "saved as " + event.set() + ": " + event.bytes() + " bytes, stood still for "
                    + seconds(event.paused());
        }

        @Override
        public String restored(LedgerEvent.Restored event) {
            return "goes on from " + event.set() + ": " + event.bytes() + " bytes in " + seconds(event.took());
        }

        @Override
        public String opened(LedgerEvent.VmOpened event) {
            return "machine " + event.machine().name() + " runs on cores "
                    + event.machine().cores() + " under " + event.machine().accelerator();
        }

        @Override
        public String closed(LedgerEvent.VmClosed event) {
            return "a machine has ended: " + event.ending().why();
        }

        @Override
        public String refused(LedgerEvent.JobRefused event) {
            return "refused: " + event.code();
        }

        @Override
        public String failed(LedgerEvent.JobFailed event) {
            return "failed: " + event.code();
        }

        @Override
        public String settled(LedgerEvent.JobSettled event) {
            return "settled: exit code " + event.exitCode();
        }
    }
}
