package org.vse.scheduler.submit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** qsub and qstat of OpenPBS and of TORQUE, which differ in a few options. */
final class PbsCommands implements UserCommands {
    private static final Pattern ID = Pattern.compile("[0-9]+(\\[[0-9]*\\])?\\.[A-Za-z0-9._-]+");
    private static final int BY_SIGNAL = 256;

    private final String word;
    private final boolean keepsHistory;

    /** @param keepsHistory whether ended jobs are asked for by {@code qstat -x} */
    PbsCommands(String word, boolean keepsHistory) {
        this.word = word;
        this.keepsHistory = keepsHistory;
    }

    @Override
    public String word() {
        return word;
    }

    @Override
    public List<String> submit(Wanted wanted) {
        List<String> line = new ArrayList<>(List.of("qsub"));
        line.addAll(wanted.flags("-N", "-q", "-A", "-o", "-e"));
        wanted.walltime().ifPresent(limit -> line.addAll(List.of("-l", "walltime=" + limit)));
        line.addAll(wanted.options());
        if (!wanted.arguments().isEmpty()) {
            if (keepsHistory) {
                throw VseException.of(ErrorCode.USAGE, "OpenPBS gives a job script no arguments")
                        .fact("found", String.join(" ", wanted.arguments()))
                        .next("hand them over as variables: vse submit " + wanted.script() + " -v NAME=VALUE");
            }
            line.addAll(List.of(
                    "-F",
                    wanted.arguments().stream()
                            .map(argument -> "\"" + argument.replace("\"", "\\\"") + "\"")
                            .collect(Collectors.joining(" "))));
        }
        line.add(wanted.script());
        return line;
    }

    @Override
    public Optional<String> id(String printed) {
        return Optional.of(printed.strip()).filter(text -> ID.matcher(text).matches());
    }

    @Override
    public List<List<String>> questions(String id) {
        return List.of(keepsHistory ? List.of("qstat", "-x", "-f", id) : List.of("qstat", "-f", id));
    }

    @Override
    public Optional<UserJob.Status> status(int question, String printed) {
        List<Map<String, String>> jobs = records(printed);
        if (jobs.isEmpty()) {
            return Optional.empty();
        }
        if (jobs.stream().anyMatch(job -> state(job) != UserJob.State.ENDED)) {
            return Optional.of(UserJob.Status.GOING);
        }
        return Optional.of(UserJob.Status.ended(
                jobs.stream().mapToInt(PbsCommands::exitCode).max().orElse(1)));
    }

    private static int exitCode(Map<String, String> job) {
        String text = job.getOrDefault("Exit_status", job.getOrDefault("exit_status", ""));
        if (!text.matches("-?[0-9]{1,9}")) {
            return 1;
        }
        int code = Integer.parseInt(text);
        if (code < 0) {
            return 1;
        }
        return code >= BY_SIGNAL ? 128 + code - BY_SIGNAL : code;
    }

    @Override
    public int settlesWithin() {
        return 0;
    }

    @Override
    public List<String> list(String user) {
        return List.of("qstat", "-f");
    }

    @Override
    public List<UserJob> jobs(String user, String printed) {
        return records(printed).stream()
                .filter(job -> job.getOrDefault("Job_Owner", "").startsWith(user + "@"))
                .map(job -> new UserJob(
                        job.getOrDefault("", ""),
                        state(job),
                        job.getOrDefault("Job_Name", ""),
                        job.getOrDefault("queue", ""),
                        job.getOrDefault("exec_host", "")))
                .toList();
    }

    private static UserJob.State state(Map<String, String> job) {
        return switch (job.getOrDefault("job_state", "")) {
            case "H" -> UserJob.State.HELD;
            case "R", "E", "B" -> UserJob.State.RUNNING;
            case "S", "U" -> UserJob.State.SUSPENDED;
            case "F", "C", "X" -> UserJob.State.ENDED;
            default -> UserJob.State.QUEUED;
        };
    }

    /** Blocks of {@code key = value} lines, each after a line {@code Job Id: ID}; what begins with a tab goes on. */
    private static List<Map<String, String>> records(String printed) {
        List<Map<String, String>> records = new ArrayList<>();
        String key = "";
        for (String line : printed.lines().toList()) {
            if (line.startsWith("Job Id: ")) {
                records.add(new TreeMap<>(
                        Map.of("", line.substring("Job Id: ".length()).strip())));
                key = "";
            } else if (!records.isEmpty()) {
                Map<String, String> record = records.get(records.size() - 1);
                int equals = line.indexOf(" = ");
                if (line.startsWith("\t") && !key.isEmpty()) {
                    record.merge(key, line.substring(1), String::concat);
                } else if (equals > 0) {
                    key = line.substring(0, equals).strip();
                    record.put(key, line.substring(equals + " = ".length()));
                }
            }
        }
        return records;
    }
}
