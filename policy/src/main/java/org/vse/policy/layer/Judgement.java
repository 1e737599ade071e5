package org.vse.policy.layer;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.Difference;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobDescription;
import org.vse.policy.JobScript;
import org.vse.policy.Setting;
import org.vse.policy.Settings;

/** What a job of one queue comes to: its values, where each is from, and why it may not have them. */
public final class Judgement {
    private final JobScript script;
    private final String queue;
    private final Merged merged;
    private final Rules rules;
    private final Settings settings;
    private final List<VseException> refusals;

    Judgement(
            JobScript script,
            String queue,
            Merged merged,
            Rules rules,
            Settings settings,
            List<VseException> refusals) {
        this.script = script;
        this.queue = queue;
        this.merged = merged;
        this.rules = rules;
        this.settings = settings;
        this.refusals = refusals;
    }

    public String queue() {
        return queue;
    }

    /** Whether the job runs in VMs: because its script says so, or because its queue does. */
    public boolean isAsked() {
        return script.isVse() || rules.isRequired();
    }

    /** All values that somebody set, with their positions; a reserved one is what its layer says, whatever later layers say. */
    public Settings settings() {
        return settings;
    }

    /** Every refusal, the one that is told at submit first. */
    public List<VseException> refusals() {
        return refusals;
    }

    /**
     * What the job gets.
     *
     * @throws VseException DIRECTIVE_IMAGE_MISSING when neither script nor queue asks for VMs; else the first refusal; else
     *     DIRECTIVE_IMAGE_MISSING when no layer names an image; else as {@link JobDescription#of}
     */
    public JobDescription description() {
        requireAllowed();
        return bounded(JobDescription.of(settings));
    }

    /** The same with the bounds of the queue, which hold also for who says nothing of time and room. */
    public JobDescription bounded(JobDescription description) {
        Difference difference = description.additions().changes();
        return difference.isNone()
                ? description
                : description.with(description
                        .additions()
                        .with(difference.within(bound(Quantity.BUILD_TIMEOUT), bound(Quantity.BUILD_SIZE))));
    }

    private long bound(Quantity quantity) {
        return Optional.ofNullable(rules.most().get(quantity))
                .map(bound -> quantity.bound(bound.text()).orElseThrow())
                .orElse(Long.MAX_VALUE);
    }

    /** The user is shown their own first line, not the site's. */
    private void requireImage() {
        if (settings.get(DirectiveKey.IMAGE).isEmpty()) {
            VseException missing = VseException.of(
                            ErrorCode.DIRECTIVE_IMAGE_MISSING, "VM options are given but no image")
                    .next("add '#VSE image=NAME'; 'vse image ls' lists the names");
            script.settings().all().stream()
                    .map(Setting::position)
                    .min(Comparator.naturalOrder())
                    .ifPresent(at -> missing.at(at.toString()));
            throw missing;
        }
    }

    /** @throws VseException as {@link #description}, but for values that contradict each other */
    public void requireAllowed() {
        if (!isAsked()) {
            script.requireVse();
        }
        if (!refusals.isEmpty()) {
            throw refusals.get(0);
        }
        requireImage();
    }

    Merged merged() {
        return merged;
    }

    Rules rules() {
        return rules;
    }
}
