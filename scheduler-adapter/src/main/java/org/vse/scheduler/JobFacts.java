package org.vse.scheduler;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a batch system has decided about one attempt of a job: all of it from the batch system itself, nothing from the job.
 *
 * @param job the batch system's own id, any text
 * @param attempt 1 for the first
 * @param queue queue or partition in which the job runs now, whatever it was submitted to
 * @param account empty when the job is charged to nobody
 * @param nodes the job's first node first
 * @param script what the job runs; empty for an interactive job
 * @param arrayIndex of a member of an array
 * @param walltime positive; empty for no limit
 * @param memoryBytes of the whole job; empty where the batch system does not bound it
 * @param workDirectory absolute
 */
public record JobFacts(
        String job,
        int attempt,
        Owner owner,
        String queue,
        Optional<String> account,
        List<NodeShare> nodes,
        Optional<Script> script,
        OptionalInt arrayIndex,
        Optional<Duration> walltime,
        OptionalLong memoryBytes,
        String workDirectory) {

    public JobFacts {
        nodes = List.copyOf(nodes);
        if (job.isBlank() || attempt < 1 || queue.isBlank() || nodes.isEmpty() || !workDirectory.startsWith("/")) {
            throw new IllegalArgumentException("not a job: '" + job + "' " + attempt + " in '" + queue + "', " + nodes
                    + ", '" + workDirectory + "'");
        }
        if (walltime.filter(w -> w.isZero() || w.isNegative()).isPresent() || memoryBytes.orElse(1) < 1) {
            throw new IllegalArgumentException("not bounds of a job: " + walltime + ", " + memoryBytes);
        }
    }

    /** Whom the job runs as. */
    public record Owner(String name, int uid) {}

    /**
     * What the job has of one node.
     *
     * @param count cores, at least 1
     * @param cores their numbers where the batch system names them, as many as {@code count}; else none
     */
    public record NodeShare(String node, int count, List<Integer> cores) {
        public NodeShare {
            cores = List.copyOf(cores);
            if (node.isBlank() || count < 1 || (!cores.isEmpty() && cores.size() != count)) {
                throw new IllegalArgumentException("not a share of a node: '" + node + "', " + count + ", " + cores);
            }
        }
    }

    /**
     * A job script.
     *
     * @param name for messages and {@code $0}; never opened
     * @param text as its author wrote it, see {@link SpooledText}
     * @param spooledSha256 digest of the bytes that the batch system hands to the starter
     */
    public record Script(String name, String text, String spooledSha256) {
        /** @param spooled what the batch system hands to the starter, see {@link SpooledText} */
        public static Script of(String name, String text, String spooled) {
            try {
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                return new Script(name, text, HexFormat.of().formatHex(digest.digest(SpooledText.encode(spooled))));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has SHA-256", e);
            }
        }
    }
}
