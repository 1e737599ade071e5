package org.vse.policy.layer;

import java.util.List;
import java.util.Map;
import org.vse.failure.SourcePosition;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Settings;

/**
 * What one place says about the VMs of a job.
 *
 * @param name for people: {@code vendor}, {@code site}, {@code queue batch}, {@code description}, {@code #VSE}
 * @param change what it says for every job
 * @param reserved keys that no later layer may change, and where that is said
 * @param variants what it says for some jobs, later ones over earlier ones and all over {@code change}
 * @param isUsers whether the job's user wrote it
 */
public record Layer(
        String name,
        Change change,
        Map<DirectiveKey, SourcePosition> reserved,
        List<Variant> variants,
        boolean isUsers) {
    public Layer {
        reserved = Map.copyOf(reserved);
        variants = List.copyOf(variants);
    }

    /** The layer of a script's own lines. */
    static Layer ofScript(Settings settings) {
        return new Layer("#VSE", new Change(settings, Map.of(), List.of()), Map.of(), List.of(), true);
    }

    /**
     * Values that are set, values of earlier layers that are taken away, and lists of earlier layers that are changed. No
     * key is in two of them.
     *
     * @param removes where each removal is said
     */
    public record Change(Settings sets, Map<DirectiveKey, SourcePosition> removes, List<ListChange> lists) {
        static final Change NOTHING = new Change(Settings.NONE, Map.of(), List.of());

        public Change {
            removes = Map.copyOf(removes);
            lists = List.copyOf(lists);
        }
    }

    /** A change for the jobs that a condition picks. */
    public record Variant(Condition when, Change change) {}
}
