package org.vse.job.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.VseException;
import org.vse.policy.layer.Policy;

/**
 * The policy that is in force. A changed file is in force as a whole from the next job on; one that is broken or gone leaves the
 * policy as it was, and the log says so once.
 */
final class CurrentPolicy {
    private static final Logger LOG = LoggerFactory.getLogger(CurrentPolicy.class);

    private final PolicyOnDisk disk;
    private Policy policy;
    private Seen seen;

    /** A file as far as it can be told from another without reading it; null members: there is none. */
    private record Seen(@Nullable Object file, @Nullable Object modified, long size) {
        private static Seen of(PolicyOnDisk disk) {
            try {
                BasicFileAttributes now = Files.readAttributes(disk.file(), BasicFileAttributes.class);
                return new Seen(now.fileKey(), now.lastModifiedTime(), now.size());
            } catch (IOException e) {
                // Missing or out of reach: reading it says which.
                return new Seen(null, null, 0);
            }
        }
    }

    /** @throws VseException POLICY_INVALID: a daemon does not start with a broken policy */
    CurrentPolicy(PolicyOnDisk disk) {
        this.disk = disk;
        this.seen = Seen.of(disk);
        this.policy = disk.read();
        LOG.info("policy {} for queues {}", policy.name(), policy.queues());
    }

    /** What is in force now. */
    synchronized Policy get() {
        Seen now = Seen.of(disk);
        if (now.equals(seen)) {
            return policy;
        }
        seen = now;
        try {
            Policy read = disk.read();
            boolean isGone = read.name().equals(Policy.VENDOR) && !policy.name().equals(Policy.VENDOR);
            if (isGone) {
                LOG.error("policy {} is gone; what it said stays in force until vsed starts anew", disk.file());
            } else {
                policy = read;
                LOG.info("policy {} is in force for queues {}", policy.name(), policy.queues());
            }
        } catch (VseException broken) {
            LOG.error("the new policy is broken; the old one stays in force", broken);
        }
        return policy;
    }
}
