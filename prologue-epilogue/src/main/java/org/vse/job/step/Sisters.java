package org.vse.job.step;

import java.time.Instant;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.provisioner.guest.GuestSetup;

/**
 * The parts of a job on its other nodes, as its first node drives them. A part that fails is noted in the job
 * ({@link Job#partFailed}), whoever waits for a machine of the job then fails with it.
 */
public interface Sisters {
    /**
     * Addresses of the job's nodes other than this one, to which packets of its network go.
     *
     * @throws VseException PEER_UNREACHABLE naming a node without an address
     */
    List<String> underlays(JobRecord record);

    /**
     * Orders every other node of the job to bring up its part, at once; returns when each has taken the order.
     *
     * @throws VseException the first refusal, or PEER_UNREACHABLE
     */
    void begin(Job job, GuestSetup.SshKey key);

    /**
     * Waits until every part is ready.
     *
     * @throws VseException what a part has failed with; BOOT_TIMEOUT naming the nodes that are late; STEP_INTERRUPTED
     */
    void awaitReady(Job job, Instant deadline, Progress progress);

    /**
     * The workers on every other node mount what the head serves, all at once; returns when each has it. See
     * {@link NfsServer#join}.
     *
     * @throws VseException the first failure, or PEER_UNREACHABLE
     */
    void join(Job job);

    /** Goes on holding the parts of a job that an earlier daemon has begun. */
    void hold(Job job);

    /**
     * Says a word about the job's machines to all its other nodes at once; returns when all have done it.
     *
     * @param set the job's name in the store of checkpoints
     * @param number of the set
     * @return the files of every other node, for {@link SaveWord#SEAL}
     * @throws VseException the first failure, the others in it, or PEER_UNREACHABLE
     */
    List<MachinesHere.Sealed> say(Job job, SaveWord word, String set, int number);

    /**
     * Ends every part and returns when nothing of them is left. A node that cannot be reached is named in a notice: it ends
     * its part by itself when nobody holds it any more.
     */
    void end(Job job);

    /** For a daemon that speaks to no other. */
    Sisters NONE = new Sisters() {
        @Override
        public List<String> underlays(JobRecord record) {
            requireOne(record);
            return List.of();
        }

        @Override
        public void begin(Job job, GuestSetup.SshKey key) {
            requireOne(job.record());
        }

        @Override
        public void awaitReady(Job job, Instant deadline, Progress progress) {
            requireOne(job.record());
        }

        @Override
        public void join(Job job) {
            requireOne(job.record());
        }

        @Override
        public void hold(Job job) {
            requireOne(job.record());
        }

        @Override
        public void end(Job job) {}

        @Override
        public List<MachinesHere.Sealed> say(Job job, SaveWord word, String set, int number) {
            requireOne(job.record());
            return List.of();
        }

        private void requireOne(JobRecord record) {
            if (record.nodes().size() > 1) {
                throw VseException.of(ErrorCode.CONFIG_INVALID, "this vsed speaks to no other node")
                        .fact("nodes of the job", String.join(", ", record.nodes()))
                        .next("set 'peer-listen' in vsed.yaml and give the nodes certificates (vse certs)");
            }
        }
    };
}
