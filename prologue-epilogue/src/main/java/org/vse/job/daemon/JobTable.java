package org.vse.job.daemon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.job.lifecycle.Job;
import org.vse.provisioner.VmName;

/** The jobs that this daemon knows, ended ones included, in the order in which they came. */
final class JobTable {
    private final Map<String, Job> byId = new LinkedHashMap<>();

    synchronized void add(Job job) {
        byId.put(job.record().id(), job);
    }

    synchronized void remove(Job job) {
        byId.remove(job.record().id());
    }

    synchronized Optional<Job> find(String id) {
        return Optional.ofNullable(byId.get(id));
    }

    synchronized List<Job> all() {
        return new ArrayList<>(byId.values());
    }

    /** The job that has a machine of that name and has not ended. */
    synchronized Optional<Job> ofMachine(VmName name) {
        return byId.values().stream()
                .filter(job -> !job.state().isFinal())
                .filter(job -> job.record().machines().stream()
                        .anyMatch(
                                machine -> job.record().vmName(machine.index()).equals(name)))
                .findFirst();
    }
}
