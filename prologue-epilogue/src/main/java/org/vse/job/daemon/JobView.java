package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.vse.job.lifecycle.FailureText;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.JournalEntry;
import org.vse.job.lifecycle.Outcome;
import org.vse.policy.Network;

/** Jobs and machines as the API tells them; see docs/api.md. */
final class JobView {
    private final ObjectMapper json;

    JobView(ObjectMapper json) {
        this.json = json;
    }

    ObjectNode job(Job job) {
        JobRecord record = job.record();
        ObjectNode view = json.createObjectNode()
                .put("id", record.id())
                .put("state", job.state().name())
                .put("user", record.user().name())
                .put("script", record.script())
                .put("image", record.image())
                .put("digest", record.digest())
                .put("cwd", record.cwd())
                .put("submitted", record.submitted().toString());
        Optional<Outcome> outcome = job.outcome();
        view.put("started", text(entered(job, JobState.RUNNING)));
        view.put("ended", text(outcome.map(Outcome::ended).orElse(finished(job))));
        outcome.ifPresentOrElse(o -> view.put("exitCode", o.exitCode()), () -> view.putNull("exitCode"));
        view.put("attempt", record.attempt());
        view.put("step", job.state().isFinal() ? null : job.step());
        view.put("suspended", text(job.pauses().suspended().since()));
        Optional<Job.Waiting> waiting = job.state().isFinal() ? Optional.empty() : job.waiting();
        view.put("waitingFor", waiting.map(Job.Waiting::what).orElse(null));
        view.put("until", waiting.map(w -> w.until().toString()).orElse(null));
        job.failure()
                .ifPresentOrElse(
                        f -> view.set("failure", json.valueToTree(FailureText.of(f))), () -> view.putNull("failure"));
        view.put("walltimeSeconds", record.walltimeSeconds());
        view.put("directory", job.files().directory().toString());
        ArrayNode vms = view.putArray("vms");
        record.machines().forEach(machine -> vms.add(machine(job, machine)));
        outcome.ifPresent(
                o -> view.putObject("bytes").put("stdout", o.stdoutBytes()).put("stderr", o.stderrBytes()));
        return view;
    }

    ObjectNode pending(LocalDesk.Pending pending) {
        Admission admission = pending.admission();
        Submission.Script script = admission.submission().script();
        ObjectNode view = json.createObjectNode()
                .put("id", pending.id())
                .put("state", "QUEUED")
                .put("user", admission.user().name())
                .put("script", script == null ? null : script.name())
                .put("image", admission.image().reference())
                .put("digest", admission.image().digest())
                .put("cwd", admission.submission().cwd())
                .put("submitted", pending.since().toString())
                .put("step", "queue")
                .put("waitingFor", pending.said())
                .put("attempt", 1);
        for (String unknown : new String[] {"started", "ended", "exitCode", "until", "failure", "bytes", "suspended"}) {
            view.putNull(unknown);
        }
        view.put(
                "walltimeSeconds",
                admission.request().walltime().map(Duration::toSeconds).orElse(null));
        view.putArray("vms");
        return view;
    }

    ObjectNode machine(Job job, JobRecord.Machine machine) {
        JobRecord record = job.record();
        ObjectNode view = json.createObjectNode()
                .put("job", record.id())
                .put("index", machine.index())
                .put("name", machine.name())
                .put("domain", record.vmName(machine.index()).value())
                .put("node", machine.node());
        ArrayNode cores = view.putArray("cores");
        machine.cores().forEach(cores::add);
        return view.put("vcpus", machine.vcpus())
                .put("memoryBytes", machine.memoryBytes())
                .put("image", record.image())
                .put("state", job.state().isFinal() ? "ENDED" : job.state().name())
                .put(
                        "address",
                        record.network() == Network.JOB ? record.networkPlan().address(machine.index()) : null)
                .put("started", text(entered(job, JobState.CREATED)));
    }

    private static @Nullable Instant entered(Job job, JobState state) {
        return job.journal().entries().stream()
                .filter(entry -> entry.state() == state)
                .map(JournalEntry::at)
                .findFirst()
                .orElse(null);
    }

    private static @Nullable Instant finished(Job job) {
        return job.state().isFinal() ? entered(job, job.state()) : null;
    }

    private static @Nullable String text(@Nullable Instant instant) {
        return instant == null ? null : instant.toString();
    }
}
