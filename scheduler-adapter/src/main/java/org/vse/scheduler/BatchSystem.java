package org.vse.scheduler;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.vse.scheduler.gridengine.GridEngine;
import org.vse.scheduler.openpbs.OpenPbs;
import org.vse.scheduler.slurm.Slurm;
import org.vse.scheduler.torque.Torque;

/** The batch systems whose hooks are understood. The embedded scheduler has no hooks. */
public enum BatchSystem {
    SLURM(new Slurm()),
    GRIDENGINE(new GridEngine()),
    OPENPBS(new OpenPbs()),
    TORQUE(new Torque());

    @SuppressWarnings("ImmutableEnumChecker") // dialects have no state
    private final Dialect dialect;

    BatchSystem(Dialect dialect) {
        this.dialect = dialect;
    }

    public Dialect dialect() {
        return dialect;
    }

    public static Optional<BatchSystem> of(String word) {
        for (BatchSystem system : values()) {
            if (system.dialect.word().equals(word)) {
                return Optional.of(system);
            }
        }
        return Optional.empty();
    }

    public static List<String> words() {
        return Arrays.stream(values()).map(system -> system.dialect.word()).toList();
    }
}
