package org.vse.ledger.charge;

import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The forms in which batch systems note what their jobs took. */
public enum Accounting {
    SLURM("slurm"),
    GRID_ENGINE("gridengine"),
    PBS("pbs");

    private final String word;

    Accounting(String word) {
        this.word = word;
    }

    /** As commands name it. */
    public String word() {
        return word;
    }

    /**
     * Reads what a batch system has noted: every attempt that has begun, by start; lines about anything else are passed over.
     *
     * @param zone of times that the form writes without one
     * @throws VseException USAGE naming the line that is not of this form
     */
    public List<Charge> read(String text, ZoneId zone) {
        List<Charge> charges = new ArrayList<>();
        int number = 0;
        List<String> lines = text.lines().toList();
        String first = lines.isEmpty() ? "" : lines.get(0);
        for (String line : lines) {
            number++;
            try {
                read(line, first, number, zone, charges);
            } catch (RuntimeException e) {
                throw VseException.of(ErrorCode.USAGE, "the accounting of " + word + " is not to be understood")
                        .at("line " + number)
                        .fact("found", line.length() > 200 ? line.substring(0, 200) + "…" : line)
                        .fact("reason", String.valueOf(e.getMessage()))
                        .because(e);
            }
        }
        List<Charge> numbered = numbered(charges);
        // What has a start and nothing later runs.
        return this == PBS
                ? numbered.stream().filter(charge -> charge.ended() != null).toList()
                : numbered;
    }

    /** Whether a text of this form tells of jobs that are not over, too; otherwise a job is in it when it has ended. */
    public boolean tellsOfRunningJobs(String text) {
        return this == SLURM && !JobCompletions.isFirst(text);
    }

    /** How long what is explained may take: Grid Engine counts from the start of the script, after its prolog. */
    public Reconciliation.Bounds bounds() {
        return this == GRID_ENGINE ? Reconciliation.Bounds.DEFAULT.fromScript() : Reconciliation.Bounds.DEFAULT;
    }

    /** Attempts in the order in which they began, where the form does not number them. */
    private static List<Charge> numbered(List<Charge> charges) {
        charges.sort(Comparator.comparing(Charge::started).thenComparing(Charge::job));
        Map<String, Integer> attempts = new HashMap<>();
        List<Charge> numbered = new ArrayList<>();
        for (Charge charge : charges) {
            int next = Math.max(charge.attempt(), attempts.getOrDefault(charge.job(), 0) + 1);
            attempts.put(charge.job(), next);
            numbered.add(charge.numbered(next));
        }
        Map<String, Charge> later = new HashMap<>();
        for (ListIterator<Charge> at = numbered.listIterator(numbered.size()); at.hasPrevious(); ) {
            Charge charge = at.previous();
            at.set(charge.before(later.put(charge.job(), charge)));
        }
        return numbered;
    }

    private void read(String line, String firstLine, int number, ZoneId zone, List<Charge> to) {
        switch (this) {
            case SLURM -> {
                if (JobCompletions.isFirst(firstLine)) {
                    JobCompletions.read(line, zone, to);
                } else {
                    Sacct.read(line, firstLine, number, zone, to);
                }
            }
            case GRID_ENGINE -> GridEngineAccounting.read(line, to);
            case PBS -> PbsAccounting.read(line, zone, to);
        }
    }
}
