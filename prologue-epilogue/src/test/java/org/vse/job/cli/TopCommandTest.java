package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.vse.job.client.Json;

class TopCommandTest {
    private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");
    private static final String JOBS = """
            [{"id":"local-3","user":"ann","state":"QUEUED","step":"queue","waitingFor":"2 cores","until":null,
              "submitted":"2026-11-21T07:59:00Z","vms":[]},
             {"id":"local-2","user":"bob\\u001b[2J","state":"CREATED","step":"ready","waitingFor":"the guest",
              "until":"2026-11-21T08:01:00Z","submitted":"2026-11-21T06:58:58Z","vms":[{"cores":[1]},{"cores":[2]}]}]
            """;

    private static String node(String name, String jobs) {
        return """
                {"node":"%s","silent":null,"cores":3,"freeCores":1,"memoryBytes":17179869184,"freeMemoryBytes":8589934592,
                 "vms":2,"jobCount":7,"jobs":%s}
                """.formatted(name, jobs);
    }

    private static String screen(String... nodes) throws IOException {
        return TopCommand.screen(
                Json.readObject("{\"asked\":\"n1\",\"nodes\":[" + String.join(",", nodes) + "]}"), NOW);
    }

    @Test
    void whatIsFreeAndWhatEachJobWaitsForIsShown() throws IOException {
        String screen = screen(node("n1", JOBS));
        assertThat(screen)
                .startsWith(
                        "n1: 1 of 3 cores free, 8.0 of 16.0 GiB free, 2 VMs, 2 jobs, 1 of them waiting for a place\n");
        assertThat(screen)
                .containsPattern("\nlocal-3 +ann +QUEUED +queue +0 +- +0:01:00 +2 cores")
                .containsPattern("\nlocal-2 .* CREATED +ready +2 +1 2 +1:01:02 +the guest until 2026-11-21T08:01:00Z")
                .doesNotContain("\u001b");
    }

    @Test
    void aNodeWithoutJobsIsOneLine() throws IOException {
        assertThat(screen(node("n1", "[]"))).hasLineCount(1);
    }

    @Test
    void aSiteIsAddedUpAndEachNodeIsALineAlsoOneThatIsSilent() throws IOException {
        String silent = "{\"node\":\"n3\",\"silent\":\"no answer within 3 s\\u001b[2J\"}";
        String screen = screen(node("n1", "[]"), node("n2", JOBS), silent);
        assertThat(screen)
                .startsWith(
                        "3 nodes, 1 of them silent: 2 of 6 cores free, 16.0 of 32.0 GiB free, 4 VMs, 2 jobs, 1 of them"
                                + " waiting for a place\n\n")
                .containsPattern("\nn1 +1 +3 +8.0 +16.0 +2 +7 +-\n")
                .containsPattern("\nn3 +- +- +- +- +- +- +no answer within 3 s\\?\\[2J\n")
                .containsPattern("\nn2 +local-3 +ann +QUEUED +queue +0 +- +0:01:00 +2 cores")
                .doesNotContain("\u001b");
    }
}
