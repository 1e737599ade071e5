package org.vse.job.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Json;
import org.vse.job.daemon.HostUsers;
import org.vse.job.daemon.PolicyOnDisk;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.JobScript;
import org.vse.policy.layer.Applicant;
import org.vse.policy.layer.DescriptionFiles;
import org.vse.policy.layer.Explanation;
import org.vse.policy.layer.GateFile;
import org.vse.policy.layer.Judgement;
import org.vse.policy.layer.Layer;
import org.vse.policy.layer.Policy;
import org.vse.scheduler.PbsResources;
import org.vse.scheduler.ResourceRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at what queues let jobs have; needs no vsed. */
@Command(
        name = "policy",
        description = "Looks at what queues let jobs have; needs no vsed.",
        subcommands = {PolicyCommands.Explain.class, PolicyCommands.Check.class, PolicyCommands.Compile.class})
final class PolicyCommands {
    /** The queue of 'vse run'. */
    static final String LOCAL = "local";

    private static Policy policy(Context context, @Nullable String file) {
        return file == null
                ? PolicyOnDisk.of(context.site().config()).read()
                : new PolicyOnDisk(context.directory().resolve(file).normalize(), true).read();
    }

    @Command(
            name = "explain",
            description = {
                "Shows what a job would get in a queue: each value, the line that set it, what that line overrode,"
                        + " what the",
                "queue allows, and each refusal with the line that forbids it. The first refusal is what submit"
                        + " prints.",
                "Exit code 1 when the job is refused."
            },
            footer = {
                "%nExamples:",
                "  vse policy explain job.sh",
                "  vse policy explain job.sh --queue batch --user alice",
                "  vse policy explain job.sh --queue batch --format json",
                "  vse policy explain job.sh --queue batch --policy new-policy.yaml"
            })
    static final class Explain implements Callable<Integer> {
        private static final int REFUSED = 1;

        private final Context context;

        enum Format {
            table,
            json
        }

        @Parameters(index = "0", paramLabel = "SCRIPT", description = "The job script.")
        private String script = "";

        @Option(
                names = "--queue",
                paramLabel = "QUEUE",
                description = "The queue; '" + LOCAL + "', that of 'vse run', by default.",
                defaultValue = LOCAL)
        private String queue = LOCAL;

        @Option(names = "--user", paramLabel = "NAME", description = "The job's user; you by default.")
        private @Nullable String user;

        @Option(
                names = "--nodes",
                paramLabel = "N",
                description = "Nodes of the job; what its #PBS lines ask for by default.")
        private @Nullable Integer nodes;

        @Option(names = "--policy", paramLabel = "FILE", description = "The policy; this node's by default.")
        private @Nullable String policy;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "table for people (default), or json as in docs/policy.md.",
                defaultValue = "table")
        private Format format = Format.table;

        Explain(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Path cwd = WorkDirectory.logical(context.environment(), context.directory());
            ScriptFile file = ScriptFile.read(script, cwd);
            JobScript parsed = JobScript.parse(file.name().toString(), file.text());
            Policy read = policy(context, policy);
            List<Layer> layers = read.descriptions(queue, parsed, cwd, new DescriptionTexts());
            JobRecord.User found = new HostUsers(context.runner())
                    .find(user == null ? Integer.toString(context.site().uid()) : user);
            List<String> groups =
                    found.groups().stream().map(JobRecord.Group::name).toList();
            Applicant job = facts(found.name(), groups, PbsResources.read(parsed));
            Judgement judgement = read.judge(queue, parsed, layers, job);
            Explanation explanation = Explanation.of(judgement);
            Optional<PlannedRoles> plan =
                    judgement.isAsked() && explanation.refusals().isEmpty()
                            ? Optional.of(PlannedRoles.of(
                                    judgement.description(), job, context.site().images()))
                            : Optional.empty();
            context.io()
                    .print(
                            format == Format.json
                                    ? json(judgement, job, read, explanation, plan)
                                    : text(judgement, read, explanation, plan));
            return explanation.refusals().isEmpty() ? 0 : REFUSED;
        }

        private Applicant facts(String name, List<String> groups, ResourceRequest request) {
            if (nodes == null) {
                return new Applicant(name, groups, request.nodes(), request.coresPerNode());
            }
            if (nodes < 1) {
                throw VseException.of(ErrorCode.USAGE, "'" + nodes + "' is not a number of nodes")
                        .next("vse policy explain --help");
            }
            return new Applicant(name, groups, nodes, OptionalInt.empty());
        }

        private static String text(
                Judgement judgement, Policy policy, Explanation explanation, Optional<PlannedRoles> plan) {
            StringBuilder text = new StringBuilder();
            if (!judgement.isAsked()) {
                return "The script has no #VSE line and queue '" + judgement.queue()
                        + "' does not require VMs: it runs without.";
            }
            List<List<String>> values = new ArrayList<>();
            for (Explanation.Line line : explanation.values()) {
                String by = line.layer() + (line.variant().isEmpty() ? "" : " when " + line.variant());
                String overrode = String.join(
                        "; ",
                        line.overrode().stream()
                                .map(o -> o.value() + " (" + o.layer() + ", " + o.at() + ")")
                                .toList());
                values.add(List.of(line.key(), line.value(), by, line.at(), line.reserved(), overrode));
            }
            text.append(
                    new Table(List.of("key", "value", "layer", "set at", "reserved at", "overrode"), values).text());
            List<List<String>> rules = explanation.rules().stream()
                    .map(r -> List.of(r.rule(), r.value(), r.at()))
                    .toList();
            if (!rules.isEmpty()) {
                text.append("\n\n").append(new Table(List.of("rule", "value", "set at"), rules).text());
            }
            text.append("\n\n");
            if (explanation.refusals().isEmpty()) {
                plan.ifPresent(roles -> text.append(roles.text()).append("\n\n"));
                return text + "Allowed in queue '" + judgement.queue() + "' by " + policy.name() + ".";
            }
            explanation.refusals().forEach(r -> text.append(r.render()).append('\n'));
            return text.toString().stripTrailing();
        }

        private static String json(
                Judgement judgement,
                Applicant job,
                Policy policy,
                Explanation explanation,
                Optional<PlannedRoles> plan) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("policy", policy.name());
            answer.put("queue", judgement.queue());
            answer.put("user", job.user());
            answer.put("nodes", job.nodes());
            answer.put("vms", judgement.isAsked());
            answer.put("allowed", explanation.refusals().isEmpty());
            List<Object> values = new ArrayList<>();
            for (Explanation.Line line : explanation.values()) {
                Map<String, Object> value = new LinkedHashMap<>();
                value.put("key", line.key());
                value.put("value", line.value());
                value.put("layer", line.layer());
                value.put("at", line.at());
                value.put("variant", line.variant());
                value.put("reservedAt", line.reserved());
                value.put(
                        "overrode",
                        line.overrode().stream()
                                .map(o -> Map.of("value", o.value(), "layer", o.layer(), "at", o.at()))
                                .toList());
                values.add(value);
            }
            answer.put("values", values);
            answer.put(
                    "rules",
                    explanation.rules().stream()
                            .map(r -> Map.of("rule", r.rule(), "value", r.value(), "at", r.at()))
                            .toList());
            List<Object> refusals = new ArrayList<>();
            for (VseException refusal : explanation.refusals()) {
                Map<String, @Nullable Object> one = new LinkedHashMap<>();
                one.put("code", refusal.code().name());
                one.put("what", refusal.what());
                one.put("where", refusal.where());
                one.put("facts", refusal.facts());
                one.put("next", refusal.next());
                one.put("text", refusal.render());
                refusals.add(one);
            }
            answer.put("refusals", refusals);
            plan.ifPresent(roles -> answer.put("plan", roles.json()));
            return Json.write(answer);
        }
    }

    @Command(
            name = "check",
            description = {
                "Reads a policy, or with --description a file for #VSE vse=, and names every mistake with line and"
                        + " column.",
                "Prints the queues that may run VMs."
            },
            footer = {
                "%nExamples:",
                "  vse policy check /etc/vse/policy.yaml",
                "  vse policy check --description mpi.yaml"
            })
    static final class Check implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "FILE", description = "The file.")
        private String file = "";

        @Option(names = "--description", description = "The file is a description of a user's VMs, not a policy.")
        private boolean description;

        Check(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Path path = context.directory().resolve(file).normalize();
            if (description) {
                List<Layer> layers = DescriptionFiles.layers(path, new DescriptionTexts());
                context.io()
                        .print(path + ": a description of " + layers.size()
                                + (layers.size() == 1 ? " file" : " files"));
                return 0;
            }
            Policy policy = policy(context, file);
            context.io()
                    .print(path + ": a policy of " + policy.queues().size()
                            + (policy.queues().size() == 1 ? " queue: " : " queues: ")
                            + String.join(", ", policy.queues()));
            return 0;
        }
    }

    @Command(
            name = "compile",
            description = {
                "Writes the policy as submit gates read it (docs/gate-format.md): no YAML, the text of every refusal"
                        + " in it.",
                "With --output the file is replaced as a whole."
            },
            footer = {
                "%nExamples:",
                "  vse policy compile --output /etc/vse/policy.gate",
                "  vse policy compile --policy new-policy.yaml"
            })
    static final class Compile implements Callable<Integer> {
        private final Context context;

        @Option(names = "--policy", paramLabel = "FILE", description = "The policy; this node's by default.")
        private @Nullable String policy;

        @Option(names = "--output", paramLabel = "FILE", description = "The file to write; standard output by default.")
        private @Nullable String output;

        Compile(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            String compiled = GateFile.of(policy(context, policy));
            if (output == null) {
                context.io().print(compiled.stripTrailing());
                return 0;
            }
            Path target = context.directory().resolve(output).normalize();
            Path part = target.resolveSibling("." + target.getFileName() + ".part");
            Files.write(part, compiled.getBytes(StandardCharsets.UTF_8));
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            return 0;
        }
    }
}
