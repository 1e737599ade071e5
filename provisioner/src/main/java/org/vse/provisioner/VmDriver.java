package org.vse.provisioner;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.vse.failure.VseException;

/**
 * Starts, finds and ends virtual machines on this node. Every implementation passes {@code VmDriverContract}.
 *
 * <p>Calls may come from any thread and may overlap for different machines; calls for one machine are made one at a time.
 * What a driver does not declare in {@link #capabilities} it refuses with NOT_SUPPORTED.
 */
public interface VmDriver extends AutoCloseable {
    /** What this driver can do beyond starting from cold and destroying. */
    Set<Capability> capabilities();

    /**
     * Starts a machine and returns when its virtual processors run, or, from {@link Origin.Checkpoint}, when they can be let
     * run: that machine is paused. The disk exists and belongs to the uid of the spec.
     *
     * @throws VseException LIBVIRT_FAILED or another SITE code; then nothing of the machine is left. A name that is in
     *     use is refused with JOB_STATE and the machine that has it is not touched. CHECKPOINT_INVALID when the memory is
     *     not one that {@link #save} wrote.
     */
    VmStatus start(VmSpec spec, Origin origin);

    /** The machine of that name, empty when there is none or it has ended. */
    Optional<VmStatus> find(VmName name);

    /** All machines that this driver's owner started, recognised by their label, never by their name. */
    List<VmStatus> list();

    /** Ends a machine at once. An unknown or ended machine is no error. */
    void destroy(VmName name);

    /** Stops the virtual processors. Idempotent. */
    void pause(VmName name);

    /** Lets the virtual processors run again. Idempotent. */
    void resume(VmName name);

    /**
     * Writes the memory of a paused machine to a file that is not there yet, and ends the machine, which {@link #onEnd} does
     * not tell. The file is root's alone, says nothing of how the machine was described, and is not yet forced to the disk.
     * Its disk stays as it is: the two belong together.
     *
     * @return where the machine's own state begins in the file, bytes: what is before may be written again by a start from
     *     it, what is after never
     * @throws VseException LIBVIRT_FAILED or another SITE code; then the machine is there, paused as it was, and the file is
     *     not. JOB_STATE for a machine that runs, or a file that is there.
     */
    long save(VmName name, Path memory);

    /**
     * Where the machine's own state begins in a file that {@link #save} wrote to its end, though nobody was there to be told.
     *
     * @throws VseException CHECKPOINT_INVALID when the file is not there, or not whole
     */
    long saved(Path memory);

    /**
     * What executes machines here, with its version: a machine goes on from its saved memory only where the text is the same.
     */
    String hypervisor();

    /** CPU time and memory that the machine has used so far, as the hypervisor says. */
    VmUsage usage(VmName name);

    /**
     * Sends one request to the guest agent of the machine and returns its reply; both are single JSON texts. The reply is
     * hostile until checked; implementations bound its size to {@link GuestReply#MAX_BYTES}.
     *
     * @throws VseException GUEST_UNRESPONSIVE when there is no reply in time or no agent yet, GUEST_DIED when the machine
     *     is gone, GUEST_PROTOCOL when the reply is oversized or not text
     */
    String agent(VmName name, String json, Duration timeout);

    /** Why a machine stands still for which the host's disk has no room. */
    String NO_ROOM = "no room on the host's disk";

    /**
     * Called with each machine that ends by itself: powered off, crashed, killed; and with one that stands still because
     * the host has no room for what it writes. At most once per machine.
     */
    void onEnd(EndListener listener);

    @Override
    void close();

    /** Told that a machine has ended. Must not block. */
    @FunctionalInterface
    interface EndListener {
        /**
         * A machine has ended; {@code why} is one of the hypervisor's own words: shutdown, crashed, killed; or it is {@link
         * #NO_ROOM}, and the machine is still there.
         */
        void ended(VmName name, String why);
    }

    /** What a driver may be able to do. */
    enum Capability {
        /** Virtual processors stay on given host cores. */
        PIN,
        /** Channels backed by host files that survive this process. */
        FILE_CHANNEL,
        /** Machines go on when this process dies, and are found by the next one. */
        RECOVER,
        /** Shared host directories by 9p. */
        SHARE_9P,
        /** Network interfaces on a host tap device. */
        TAP,
        /** Network interfaces without privilege. */
        USER_NETWORK,
        /** Saving to and starting from {@link Origin.Checkpoint}. */
        CHECKPOINT,
        /** Starting from {@link Origin.Snapshot}. */
        SNAPSHOT
    }
}
