package org.vse.provisioner.accelerator;

import java.time.Instant;
import java.util.function.Supplier;
import org.vse.provisioner.VmSpec.Accelerator;

/** Says what executes the instructions of machines that are about to be created. */
public interface AcceleratorChoice {
    /**
     * Answers at once when the answer is known; else finds it out, which takes seconds.
     *
     * @param guest what shows whether they can, as whom and where; not asked for when that is known without
     * @param waiting hears what is waited for before anything is
     */
    Accelerator choose(Supplier<ProbeGuest> guest, Waiting waiting);

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
