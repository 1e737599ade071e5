package org.vse.policy.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobScript;
import org.vse.policy.Settings;

/**
 * What the queues of a site let jobs have. A queue that is not in it runs no VMs.
 *
 * <p>Without a site's file the queues of the vendor's file are in force. A site's file takes their place; only what the
 * vendor says for all queues stays below it.
 */
public final class Policy {
    /** The vendor's file as it is named in positions. */
    public static final String VENDOR = "vendor.yaml";

    private final String name;
    private final String cluster;
    private final Map<String, QueueLayers> queues;

    private Policy(String name, String cluster, Map<String, QueueLayers> queues) {
        this.name = name;
        this.cluster = cluster;
        this.queues = queues;
    }

    /**
     * What is said about one queue.
     *
     * @param layers the earliest first
     * @param rules of all layers, merged
     */
    record QueueLayers(String queue, List<Layer> layers, Rules rules) {
        QueueLayers {
            layers = List.copyOf(layers);
        }
    }

    /** The vendor's policy alone. */
    public static Policy vendor() {
        PolicyFile vendor = PolicyFile.read("vendor", VENDOR, vendorText());
        return of(vendor, Optional.empty());
    }

    /**
     * A site's policy over the vendor's.
     *
     * @param file for positions
     * @throws VseException POLICY_INVALID with file, line and column of the first mistake, the others as its fact {@code more}
     */
    public static Policy site(String file, String text) {
        PolicyFile vendor = PolicyFile.read("vendor", VENDOR, vendorText());
        return of(vendor, Optional.of(PolicyFile.read("site", file, text)));
    }

    /** The vendor's file. */
    public static String vendorText() {
        try (InputStream in = Policy.class.getResourceAsStream(VENDOR)) {
            if (in == null) {
                throw new IllegalStateException("no " + VENDOR + " beside " + Policy.class);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Policy of(PolicyFile vendor, Optional<PolicyFile> site) {
        PolicyFile file = site.orElse(vendor);
        Map<String, QueueLayers> queues = new LinkedHashMap<>();
        for (String queue : file.queues().keySet()) {
            List<PolicyFile.Part> parts = new ArrayList<>();
            parts.add(vendor.all());
            site.ifPresent(s -> parts.add(s.all()));
            parts.addAll(file.chain(queue));
            Rules rules = Rules.NONE;
            for (PolicyFile.Part part : parts) {
                rules = part.rules().over(rules);
            }
            QueueLayers layers = new QueueLayers(
                    queue, parts.stream().map(PolicyFile.Part::layer).toList(), rules);
            requireConsistent(layers);
            queues.put(queue, layers);
        }
        return new Policy(file.file(), file.cluster().orElse(""), queues);
    }

    /** A layer of the site that changes what an earlier one reserves would refuse every job of its queue. */
    private static void requireConsistent(QueueLayers queue) {
        Merged every = Merged.of(queue.layers(), when -> true, new Refusals(queue.queue()));
        every.refusals().stream().findFirst().ifPresent(first -> {
            VseException invalid = VseException.of(ErrorCode.POLICY_INVALID, first.what());
            if (first.where() != null) {
                invalid.at(first.where());
            }
            first.facts().forEach(invalid::fact);
            throw invalid.next("remove the value, or the reservation");
        });
    }

    /** The file that says it. */
    public String name() {
        return name;
    }

    /** Names of the queues that run VMs, in the order written. */
    public List<String> queues() {
        return List.copyOf(queues.keySet());
    }

    List<QueueLayers> layers() {
        return List.copyOf(queues.values());
    }

    Optional<QueueLayers> queue(String queue) {
        return Optional.ofNullable(queues.get(queue));
    }

    /**
     * The layers of the files that a script names; none, and no file is looked at, where the job's queue runs no VMs or reserves
     * {@code vse}: {@link #judge} refuses these scripts.
     *
     * @param directory absolute, the job's
     * @throws VseException as {@link DescriptionFiles#layers}
     */
    public List<Layer> descriptions(String queue, JobScript script, Path directory, DescriptionFiles.Source source) {
        boolean taken = queue(queue).stream()
                .anyMatch(q -> q.layers().stream().noneMatch(l -> l.reserved().containsKey(DirectiveKey.VSE)));
        return taken ? DescriptionFiles.layers(script, directory, source) : List.of();
    }

    /**
     * What a job of a queue comes to.
     *
     * @param descriptions the layers of the files that the script names, from {@link #descriptions}
     */
    public Judgement judge(String queue, JobScript script, List<Layer> descriptions, Applicant job) {
        Optional<QueueLayers> known = queue(queue);
        List<Layer> layers = new ArrayList<>(known.map(QueueLayers::layers).orElse(List.of()));
        layers.addAll(descriptions);
        layers.add(Layer.ofScript(script.settings()));
        Refusals say = new Refusals(queue);
        Merged plain = Merged.of(layers, when -> false, say);
        long vmsPerNode = number(plain, DirectiveKey.VMS_PER_NODE);
        Condition.Job seen = new Condition.Job(job.nodes() * vmsPerNode, number(plain, DirectiveKey.MEMORY), cluster);
        Merged merged = Merged.of(layers, when -> when.holds(seen), say);
        Rules rules = known.map(QueueLayers::rules).orElse(Rules.NONE);
        List<VseException> refusals = known.isEmpty()
                ? List.of(Refusals.queue(queue, name, queues()))
                : new Judge(say, rules, merged, job).refusals();
        Settings settings = merged.settings();
        return new Judgement(script, queue, merged, rules, settings, refusals);
    }

    private static long number(Merged merged, DirectiveKey key) {
        return Quantity.factor(merged.value(key).text().orElseThrow());
    }
}
