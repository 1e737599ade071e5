package org.vse.provisioner.accelerator;

import java.time.Instant;
import org.vse.provisioner.VmSpec.Accelerator;

/** Says what executes the instructions of machines that are about to be created. */
public interface AcceleratorChoice {
    /**
     * Answers at once when the answer is known; else finds it out, which takes seconds.
     *
     * @param guest what the machines will boot, as whom and where
     * @param waiting hears what is waited for before anything is
     */
    Accelerator choose(ProbeGuest guest, Waiting waiting);

    /** What the site has decided. */
    static AcceleratorChoice fixed(Accelerator accelerator) {
        return (guest, waiting) -> accelerator;
    }

    /** Hears what a choice waits for and when it gives up. */
    @FunctionalInterface
    interface Waiting {
        void until(String what, Instant end);
    }
}
