package org.vse.job.peer;

import org.vse.job.lifecycle.JobRecord;
import org.vse.provisioner.guest.GuestSetup;

/**
 * What the first node of a job orders another to bring up.
 *
 * @param protocol {@link #PROTOCOL} of who orders
 * @param job what was admitted; of the machines of the ordered node without cores, that node gives them some
 * @param key the key that the job's machines share
 * @param leaseSeconds how long the first node waits for an answer; the part lives no longer without a call
 */
public record PartOrder(int protocol, JobRecord job, Key key, long leaseSeconds) {
    /** Version of what nodes say to each other. */
    public static final int PROTOCOL = 1;

    /** An ssh key as it travels. */
    public record Key(String publicKey, String privateKey) {
        /** The key again. */
        public GuestSetup.SshKey toKey() {
            return new GuestSetup.SshKey(publicKey, privateKey);
        }

        /** Without the secret. */
        @Override
        public String toString() {
            return publicKey;
        }
    }
}
