package org.vse.scheduler.submit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** sbatch(1), squeue(1), scontrol(1), and sacct(1) for jobs that slurmctld has forgotten. */
final class SlurmCommands implements UserCommands {
    private static final Pattern ID = Pattern.compile("([0-9]+)(;.*)?");
    private static final Pattern SHOWN =
            Pattern.compile("(?m)^JobId=.*? JobState=(\\S+).*? ExitCode=([0-9]+):([0-9]+)");
    private static final Pattern ACCOUNTED = Pattern.compile("(?m)^([A-Z_]+)[^|]*\\|([0-9]+):([0-9]+)$");
    private static final List<String> ENDS = List.of(
            "COMPLETED",
            "FAILED",
            "CANCELLED",
            "TIMEOUT",
            "NODE_FAIL",
            "OUT_OF_MEMORY",
            "BOOT_FAIL",
            "DEADLINE",
            "PREEMPTED",
            "REVOKED");

    @Override
    public String word() {
        return "slurm";
    }

    @Override
    public List<String> submit(Wanted wanted) {
        List<String> line = new ArrayList<>(List.of("sbatch", "--parsable"));
        line.addAll(wanted.flags("-J", "-p", "-A", "-o", "-e"));
        wanted.walltime().ifPresent(limit -> line.addAll(List.of("-t", limit)));
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
        return List.of(
                List.of("scontrol", "-o", "show", "job", id),
                List.of("sacct", "-n", "-X", "-P", "-o", "State,ExitCode", "-j", id));
    }

    @Override
    public Optional<UserJob.Status> status(int question, String printed) {
        Matcher matcher = (question == 0 ? SHOWN : ACCOUNTED).matcher(printed);
        boolean any = false;
        int worst = 0;
        while (matcher.find()) {
            any = true;
            if (!ENDS.contains(matcher.group(1))) {
                return Optional.of(UserJob.Status.GOING);
            }
            int code = Integer.parseInt(matcher.group(2));
            int signal = Integer.parseInt(matcher.group(3));
            int ended = code != 0 || signal == 0 ? code : 128 + signal;
            worst = Math.max(worst, ended == 0 && !matcher.group(1).equals("COMPLETED") ? 1 : ended);
        }
        return any ? Optional.of(UserJob.Status.ended(worst)) : Optional.empty();
    }

    @Override
    public int settlesWithin() {
        return 0;
    }

    @Override
    public List<String> list(String user) {
        return List.of("squeue", "-h", "-u", user, "-o", "%i|%T|%r|%P|%N|%j");
    }

    @Override
    public List<UserJob> jobs(String user, String printed) {
        return printed.lines()
                .map(line -> line.split("\\|", 6))
                .filter(fields -> fields.length == 6)
                .map(fields -> new UserJob(fields[0], state(fields[1], fields[2]), fields[5], fields[3], fields[4]))
                .toList();
    }

    private static UserJob.State state(String state, String reason) {
        return switch (state) {
            case "PENDING" ->
                Arrays.asList("JobHeldUser", "JobHeldAdmin").contains(reason)
                        ? UserJob.State.HELD
                        : UserJob.State.QUEUED;
            case "REQUEUE_HOLD", "SPECIAL_EXIT" -> UserJob.State.HELD;
            case "REQUEUED" -> UserJob.State.QUEUED;
            case "SUSPENDED", "STOPPED" -> UserJob.State.SUSPENDED;
            default -> ENDS.contains(state) ? UserJob.State.ENDED : UserJob.State.RUNNING;
        };
    }
}
