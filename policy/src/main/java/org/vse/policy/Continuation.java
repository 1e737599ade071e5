package org.vse.policy;

import org.jspecify.annotations.Nullable;

/**
 * How a job goes on after its walltime, or after its nodes are gone.
 *
 * @param onWalltime what happens when the walltime is nearly over
 * @param everySeconds between two savings of the VMs while the job runs; null for never
 * @param resume id of the job whose saved VMs this one goes on with; null for none
 */
public record Continuation(
        OnWalltime onWalltime,
        @Nullable Integer everySeconds,
        @Nullable String resume) {
    /** The job ends with its walltime. */
    public static final Continuation NONE = new Continuation(Defaults.ON_WALLTIME, null, null);

    static Continuation of(Settings settings) {
        return new Continuation(
                settings.get(DirectiveKey.ON_WALLTIME)
                        .map(s -> OnWalltime.of(s.text()))
                        .orElse(Defaults.ON_WALLTIME),
                settings.get(DirectiveKey.CHECKPOINT_EVERY)
                        .map(s -> seconds(s.text()))
                        .orElse(null),
                settings.get(DirectiveKey.RESUME).map(Setting::text).orElse(null));
    }

    private static int seconds(String text) {
        int number = Integer.parseInt(text.substring(0, text.length() - 1));
        return number * (text.endsWith("h") ? 3600 : 60);
    }
}
