package org.vse.provisioner.accelerator;

import java.time.Duration;

/** Boots a guest under KVM and ends it. */
public interface AcceleratorProbe {
    /** Returns when the guest has booted, its QEMU has ended, or the deadline has passed; nothing of it is left then. */
    Answer boot(ProbeGuest guest, Duration deadline);

    /**
     * How it went.
     *
     * @param booted the guest's first program was started
     * @param evidence one line without control characters: what was seen
     */
    record Answer(boolean booted, String evidence) {}
}
