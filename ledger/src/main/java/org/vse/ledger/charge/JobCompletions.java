package org.vse.ledger.charge;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What Slurm's {@code JobCompType=jobcomp/filetxt} writes (slurm.conf(5)): one line for each attempt that is over. Times are
 * those of the head's zone. A job's name is in it as the user has chosen it, so a field is looked for in its place only.
 */
final class JobCompletions {
    private static final String FIRST = "JobId=";
    private static final Pattern LINE =
            Pattern.compile("JobId=([0-9]+) UserId=([^( ]+)\\([0-9]+\\) GroupId=[^ ]* Name=.*"
                    + " JobState=([A-Z_]+) Partition=([^ ]*) TimeLimit=[^ ]* StartTime=([^ ]+) EndTime=([^ ]+) NodeList=[^ ]*"
                    + " NodeCnt=([0-9]+) ProcCnt=([0-9]+) WorkDir=.* Account=([^ ]*) QOS=.*");

    private JobCompletions() {}

    /** Whether a text that begins with this line is of this form. */
    static boolean isFirst(String line) {
        return line.startsWith(FIRST);
    }

    static void read(String line, ZoneId zone, List<Charge> to) {
        if (line.isBlank()) {
            return;
        }
        Matcher job = LINE.matcher(line.strip());
        if (!job.matches()) {
            throw new IllegalArgumentException("expected JobId=… UserId=… and so on, as of Slurm 20.11 or later");
        }
        Optional<Instant> start = time(job.group(5), zone);
        Optional<Instant> end = time(job.group(6), zone);
        // What was cancelled in the queue has no nodes and was charged nothing.
        if (start.isEmpty() || end.isEmpty() || job.group(7).equals("0")) {
            return;
        }
        to.add(new Charge(
                job.group(1),
                1,
                job.group(2),
                orNull(job.group(9)),
                orNull(job.group(4)),
                start.get(),
                end.get(),
                Integer.parseInt(job.group(8)),
                false));
    }

    private static Optional<Instant> time(String text, ZoneId zone) {
        return text.equals("Unknown") || text.equals("None")
                ? Optional.empty()
                : Optional.of(LocalDateTime.parse(text).atZone(zone).toInstant());
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() || text.equals("(null)") ? null : text;
    }
}
