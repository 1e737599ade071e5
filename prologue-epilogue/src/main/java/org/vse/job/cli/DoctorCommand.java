package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.Json;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding.State;
import org.vse.job.doctor.Host;
import org.vse.job.doctor.ThisHost;
import org.vse.job.install.InstallPlan;
import org.vse.job.install.Installation;
import org.vse.job.install.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Looks at this node. */
@Command(
        name = "doctor",
        description = {
            "Looks at what this node needs to run jobs and names the command that mends what is wrong.",
            "Changes nothing; needs no vsed. Root sees more. Exit code 1 when something keeps jobs from running."
        },
        footer = {"%nExamples:", "  sudo vse doctor", "  vse doctor --format json"})
final class DoctorCommand implements Callable<Integer> {
    private static final int FOUND_SOMETHING = 1;

    enum Format {
        table,
        json
    }

    private final Context context;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "table for people (default), or json as in docs/doctor.md.",
            defaultValue = "table")
    private Format format = Format.table;

    @Option(
            names = "--scheduler",
            paramLabel = "NAME",
            description = "Looks also whether this batch system calls VSE: slurm, gridengine, openpbs or torque.")
    private @Nullable String scheduler;

    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description = "With --scheduler, what the host is: submit, node or head; all of them when not given.")
    private @Nullable String role;

    DoctorCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        ThisHost edges = new ThisHost(context.runner());
        Site site = context.site();
        boolean isRoot = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        Host host = new Host(
                Path.of("/"),
                site.state(),
                site.run(),
                site.config(),
                Self.packages(),
                isRoot,
                edges,
                edges,
                context.clock());
        List<Doctor.Line> lines = new ArrayList<>(Doctor.examine(host));
        if (scheduler != null) {
            lines.addAll(Installation.of(scheduler, new InstallPlan.Host(Path.of("/")))
                    .examine(Role.of(role)));
        }
        context.io().print(format == Format.json ? json(lines) : text(lines));
        return worst(lines) == State.FAILED ? FOUND_SOMETHING : 0;
    }

    static State worst(List<Doctor.Line> lines) {
        return lines.stream()
                .map(line -> line.finding().state())
                .reduce(State.OK, (one, other) -> one.compareTo(other) > 0 ? one : other);
    }

    /** One line for each check, and below what is not ok the command that mends it. */
    static String text(List<Doctor.Line> lines) {
        int width = lines.stream().mapToInt(line -> line.check().length()).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (Doctor.Line line : lines) {
            String state = line.finding().state().word();
            text.append(padded(line.check(), width))
                    .append(padded(state, 7))
                    .append(line.finding().found())
                    .append('\n');
            if (!line.finding().mend().isEmpty()) {
                text.append(padded("", width))
                        .append(padded("", 7))
                        .append("mend: ")
                        .append(line.finding().mend())
                        .append('\n');
            }
        }
        return text.toString().stripTrailing();
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length() + 2);
    }

    static String json(List<Doctor.Line> lines) {
        List<Map<String, String>> checks = new ArrayList<>();
        for (Doctor.Line line : lines) {
            Map<String, String> check = new LinkedHashMap<>();
            check.put("check", line.check());
            check.put("state", line.finding().state().word());
            check.put("found", line.finding().found());
            check.put("mend", line.finding().mend());
            checks.add(check);
        }
        return Json.write(Map.of("checks", checks));
    }
}
