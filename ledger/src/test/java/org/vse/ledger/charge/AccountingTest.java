package org.vse.ledger.charge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;

/**
 * Fixtures of PBS and of Slurm's job completions are what real servers wrote; those of sacct and Grid Engine follow sacct(1)
 * and accounting(5).
 */
class AccountingTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
    private static final Instant T = Instant.ofEpochSecond(1_795_248_000);

    private static String fixture(String name) {
        try (InputStream text = AccountingTest.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(text).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void slurm() {
        assertThat(Accounting.SLURM.read(fixture("slurm.sacct"), BERLIN))
                .containsExactlyInAnyOrder(
                        new Charge("41", 1, "alice", "physics", "batch", T, T.plusSeconds(3600), 4, false),
                        new Charge("42", 1, "bob", null, "batch", T, T.plusSeconds(600), 2, true),
                        new Charge("42", 2, "bob", null, "batch", T.plusSeconds(1000), T.plusSeconds(1900), 2, false),
                        new Charge(
                                "44",
                                1,
                                "carol",
                                "biology",
                                "long",
                                Instant.parse("2026-11-21T08:00:00Z"),
                                null,
                                8,
                                false),
                        new Charge("45", 1, "dave", null, "batch", T, T.plusSeconds(3), 2, false));
    }

    @Test
    void slurmJobCompletions() {
        Instant t = Instant.parse("2026-11-22T02:48:48Z");
        assertThat(Accounting.SLURM.read(fixture("slurm.jobcomp"), ZoneId.of("UTC")))
                .containsExactly(
                        new Charge("3", 1, "ann", null, "batch", t, t.plusSeconds(117), 2, false),
                        new Charge("8", 1, "ann", null, "batch", t.plusSeconds(110), t.plusSeconds(170), 1, false),
                        new Charge("8", 2, "ann", null, "batch", t.plusSeconds(301), t.plusSeconds(370), 1, false),
                        new Charge("27", 1, "ann", "acc", "batch", t.plusSeconds(796), t.plusSeconds(835), 2, false));
        assertThat(Accounting.SLURM.tellsOfRunningJobs(fixture("slurm.jobcomp")))
                .isFalse();
        assertThat(Accounting.SLURM.tellsOfRunningJobs(fixture("slurm.sacct"))).isTrue();
    }

    @Test
    void theNameOfAJobIsNoFieldOfItsCompletion() {
        String line = fixture("slurm.jobcomp").lines().findFirst().orElseThrow();
        String hostile = line.replace(
                "Name=saved.sh",
                "Name=a JobState=COMPLETED Partition=other TimeLimit=1 StartTime=Unknown EndTime=Unknown");
        assertThat(Accounting.SLURM.read(hostile, ZoneId.of("UTC")))
                .isEqualTo(Accounting.SLURM.read(line, ZoneId.of("UTC")));
    }

    @Test
    void gridEngine() {
        assertThat(Accounting.GRID_ENGINE.read(fixture("gridengine.accounting"), BERLIN))
                .containsExactly(
                        new Charge("41", 1, "alice", "physics", "all.q", T, T.plusSeconds(3600), 4, false),
                        new Charge("42.3", 1, "bob", null, "all.q", T, T.plusSeconds(600), 2, true),
                        new Charge(
                                "42.3", 2, "bob", null, "all.q", T.plusSeconds(1000), T.plusSeconds(1900), 2, false));
    }

    /** What Grid Engine 8.1.9 wrote of jobs whose hosts were not heard of for a while. */
    @Test
    void anAttemptWithoutTimesWasBetweenItsSubmissionAndTheNext() {
        Instant first = Instant.ofEpochSecond(1_795_317_097);
        Instant again = Instant.ofEpochSecond(1_795_317_203);
        assertThat(Accounting.GRID_ENGINE.read(fixture("gridengine-requeued.accounting"), BERLIN))
                .containsExactly(
                        new Charge("1", 1, "ann", null, "batch", first, again, 0, true),
                        new Charge("4.1", 1, "ann", null, "batch", first, null, 0, true),
                        new Charge("1", 2, "ann", null, "batch", again, null, 0, true));
    }

    @Test
    void openPbs() {
        List<Charge> charges = Accounting.PBS.read(fixture("openpbs.accounting"), BERLIN);
        assertThat(charges)
                .extracting(Charge::job)
                .containsExactly(
                        "1.pbssrv", "2.pbssrv", "7[1].pbssrv", "7[2].pbssrv", "7[3].pbssrv", "29.pbssrv", "29.pbssrv");
        assertThat(charges.get(0))
                .isEqualTo(new Charge(
                        "1.pbssrv",
                        1,
                        "alice",
                        "proj42",
                        "images",
                        Instant.ofEpochSecond(1_795_237_934),
                        Instant.ofEpochSecond(1_795_237_936),
                        2,
                        false));
        assertThat(charges.get(1).cores()).isEqualTo(6);
        assertThat(charges.get(5))
                .satisfies(first -> assertThat(first.requeued()).isTrue())
                .extracting(Charge::attempt)
                .isEqualTo(1);
        assertThat(charges.get(6)).extracting(Charge::attempt, Charge::requeued).containsExactly(2, false);
    }

    @Test
    void torque() {
        List<Charge> charges = Accounting.PBS.read(fixture("torque.accounting"), BERLIN);
        assertThat(charges)
                .extracting(Charge::job, Charge::cores, Charge::account)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("0.trqsrv", 2, "proj42"),
                        org.assertj.core.groups.Tuple.tuple("1.trqsrv", 4, null),
                        org.assertj.core.groups.Tuple.tuple("12.trqsrv", 2, null));
        String old = fixture("torque.accounting").replaceAll(" total_execution_slots=[0-9]+", "");
        assertThat(Accounting.PBS.read(old, BERLIN)).isEqualTo(charges);
    }

    @Test
    void torqueChargesNothingForAnAttemptThatIsRunAgain() {
        Instant start = Instant.ofEpochSecond(1_795_239_284);
        Charge first = new Charge("15.trqsrv", 1, "alice", null, "batch", start, start.plusSeconds(5), 0, true);
        String noted = fixture("torque-requeued.accounting");
        assertThat(Accounting.PBS.read(noted, BERLIN))
                .containsExactly(
                        first,
                        new Charge(
                                "15.trqsrv",
                                2,
                                "alice",
                                null,
                                "batch",
                                start.plusSeconds(5),
                                start.plusSeconds(9),
                                0,
                                true),
                        new Charge(
                                "15.trqsrv",
                                3,
                                "alice",
                                null,
                                "batch",
                                start.plusSeconds(9),
                                start.plusSeconds(17),
                                1,
                                false));
        String running = noted.lines().limit(3).collect(java.util.stream.Collectors.joining("\n"));
        assertThat(Accounting.PBS.read(running, BERLIN)).containsExactly(first);
    }

    @Test
    void whatIsOfAnotherFormIsRefusedWithItsLine() {
        for (Accounting form : Accounting.values()) {
            assertThatThrownBy(() -> form.read("this is\nno accounting\n", BERLIN))
                    .as(form.word())
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("line 1")
                    .hasMessageContaining("[USAGE]");
        }
        assertThatThrownBy(() -> Accounting.SLURM.read(Sacct.FIELDS.replace(',', '|') + "\n1|2|3\n", BERLIN))
                .hasMessageContaining("line 2");
    }
}
