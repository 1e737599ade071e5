package org.vse.scheduler.submit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** qsub(1), qstat(1), and qacct(1) for jobs that have ended. */
final class GridEngineCommands implements UserCommands {
    private static final Pattern ID = Pattern.compile("([0-9]+)(\\.[0-9]+-[0-9]+:[0-9]+)?");
    private static final Pattern CODE = Pattern.compile("(?m)^exit_status +([0-9]{1,9})\\b");
    private static final Pattern FAILED = Pattern.compile("(?m)^failed +([0-9]{1,9})\\b");
    private static final Pattern ROW =
            Pattern.compile(" *([0-9]+) +[0-9.]+ +(\\S+) +(\\S+) +([A-Za-z]+) +\\S+ +\\S+ (.*)");

    @Override
    public String word() {
        return "gridengine";
    }

    @Override
    public List<String> submit(Wanted wanted) {
        List<String> line = new ArrayList<>(List.of("qsub", "-terse", "-b", "n"));
        line.addAll(wanted.flags("-N", "-q", "-A", "-o", "-e"));
        wanted.walltime().ifPresent(limit -> line.addAll(List.of("-l", "h_rt=" + limit)));
        line.addAll(wanted.options());
        line.add(wanted.script());
        line.addAll(wanted.arguments());
        return line;
    }

    @Override
    public Optional<String> id(String printed) {
        Matcher matcher = ID.matcher(printed.strip());
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    @Override
    public List<List<String>> questions(String id) {
        return List.of(List.of("qstat", "-j", id), List.of("qacct", "-j", id));
    }

    @Override
    public Optional<UserJob.Status> status(int question, String printed) {
        if (question == 0) {
            return printed.contains("job_number:") ? Optional.of(UserJob.Status.GOING) : Optional.empty();
        }
        Matcher codes = CODE.matcher(printed);
        if (!codes.find()) {
            return Optional.empty();
        }
        int worst = 0;
        do {
            worst = Math.max(worst, Integer.parseInt(codes.group(1)));
        } while (codes.find());
        boolean failed = FAILED.matcher(printed)
                .results()
                .anyMatch(each -> !each.group(1).equals("0"));
        return Optional.of(UserJob.Status.ended(worst == 0 && failed ? 1 : worst));
    }

    /** The qmaster writes its accounting in batches. */
    @Override
    public int settlesWithin() {
        return 30;
    }

    @Override
    public List<String> list(String user) {
        return List.of("qstat", "-u", user);
    }

    @Override
    public List<UserJob> jobs(String user, String printed) {
        List<UserJob> jobs = new ArrayList<>();
        for (String line : printed.lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                String[] rest = row.group(5).strip().split(" +");
                String[] place = rest[0].contains("@") ? rest[0].split("@", 2) : new String[] {"", ""};
                jobs.add(new UserJob(row.group(1), state(row.group(4)), row.group(2), place[0], place[1]));
            }
        }
        return jobs;
    }

    /** Letters, each of which says something (qstat(1), "state"). */
    private static UserJob.State state(String letters) {
        if (letters.startsWith("h")) {
            return UserJob.State.HELD;
        }
        if (letters.matches(".*[sST].*")) {
            return UserJob.State.SUSPENDED;
        }
        return letters.matches(".*[rtd].*") ? UserJob.State.RUNNING : UserJob.State.QUEUED;
    }
}
