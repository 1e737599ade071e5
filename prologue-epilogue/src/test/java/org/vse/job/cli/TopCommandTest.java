package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.vse.job.client.Json;

class TopCommandTest {
    private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");
    private static final String NODE = """
            {"node":"n1","memoryBytes":17179869184,"freeMemoryBytes":8589934592,"cores":[
              {"core":0,"state":"FREE"},{"core":1,"state":"BUSY"},{"core":2,"state":"SHARED"}]}
            """;

    @Test
    void whatIsFreeAndWhatEachJobWaitsForIsShown() throws IOException {
        String jobs = """
                {"jobs":[
                  {"id":"local-3","user":"ann","state":"QUEUED","step":"queue","waitingFor":"2 cores","until":null,
                   "submitted":"2026-11-21T07:59:00Z","vms":[]},
                  {"id":"local-2","user":"bob\\u001b[2J","state":"CREATED","step":"ready","waitingFor":"the guest",
                   "until":"2026-11-21T08:01:00Z","submitted":"2026-11-21T06:58:58Z","vms":[{"cores":[1]},{"cores":[2]}]},
                  {"id":"local-1","user":"ann","state":"SETTLED","submitted":"2026-11-21T07:00:00Z","vms":[{"cores":[1]}]}]}
                """;
        String screen = TopCommand.screen(Json.readObject(NODE), Json.readObject(jobs), NOW);
        assertThat(screen)
                .startsWith(
                        "n1: 1 of 3 cores free, 8.0 of 16.0 GiB free, 2 VMs, 2 jobs, 1 of them waiting for a place\n");
        assertThat(screen)
                .containsPattern("local-3 +ann +QUEUED +queue +0 +- +0:01:00 +2 cores")
                .containsPattern("local-2 .* CREATED +ready +2 +1 2 +1:01:02 +the guest until 2026-11-21T08:01:00Z")
                .doesNotContain("local-1")
                .doesNotContain("\u001b");
    }

    @Test
    void aNodeWithoutJobsIsOneLine() throws IOException {
        assertThat(TopCommand.screen(Json.readObject(NODE), Json.readObject("{\"jobs\":[]}"), NOW))
                .hasLineCount(1);
    }
}
