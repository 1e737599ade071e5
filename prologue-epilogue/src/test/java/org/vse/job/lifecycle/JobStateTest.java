package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobStateTest {
    private static final Map<JobState, Set<JobState>> TABLE = Map.of(
            JobState.ADMITTED, Set.of(JobState.STAGED, JobState.FAILED),
            JobState.STAGED, Set.of(JobState.CREATED, JobState.FAILED),
            JobState.CREATED, Set.of(JobState.READY, JobState.FAILED),
            JobState.READY, Set.of(JobState.RUNNING, JobState.FAILED),
            JobState.RUNNING, Set.of(JobState.SETTLED, JobState.CHECKPOINTED, JobState.FAILED),
            JobState.SETTLED, Set.of(),
            JobState.CHECKPOINTED, Set.of(),
            JobState.FAILED, Set.of());

    @Test
    void exactlyTheMovesOfTheTableAreLegal() {
        for (JobState from : JobState.values()) {
            for (JobState to : JobState.values()) {
                assertThat(from.mayBecome(to))
                        .as("%s → %s", from, to)
                        .isEqualTo(TABLE.getOrDefault(from, Set.of()).contains(to));
            }
        }
    }

    @Test
    void nothingFollowsAFinalState() {
        for (JobState state : JobState.values()) {
            assertThat(state.isFinal())
                    .as("%s", state)
                    .isEqualTo(TABLE.getOrDefault(state, Set.of()).isEmpty());
        }
    }
}
