package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;

class PolicyCommandsTest {
    private static final String POLICY = """
        all: { defaults: { memory: 1GiB } }
        queues:
          local:
            images: { allow: ["debian-12*"] }
            defaults: { image: debian-12 }
            limits: { memory: 2GiB }
            reserved: [network]
        """;

    @TempDir
    Path dir;

    private Shell shell;

    @BeforeEach
    void start() throws IOException {
        shell = new Shell(dir);
        Files.createDirectories(dir.resolve("etc"));
        Files.writeString(dir.resolve("etc/policy.yaml"), POLICY);
    }

    private int explain(String header, String... options) throws IOException {
        Files.writeString(dir.resolve("job.sh"), "#!/bin/sh\n" + header + "\necho\n");
        String[] arguments = new String[3 + options.length];
        arguments[0] = "policy";
        arguments[1] = "explain";
        arguments[2] = "job.sh";
        System.arraycopy(options, 0, arguments, 3, options.length);
        return shell.run(arguments);
    }

    @Test
    void eachValueIsShownWithWhatSetItAndWhatThatOverrode() throws IOException {
        assertThat(explain("#VSE memory=1536MiB")).isZero();
        String policy = dir.resolve("etc/policy.yaml").toString();
        assertThat(shell.out().lines().map(l -> l.replaceAll(" {2,}", "|").strip()))
                .contains(
                        "image|debian-12|queue local|" + policy + ":5:24|-|-",
                        "memory|1536MiB|#VSE|" + dir.resolve("job.sh") + ":2:13|-|1GiB (site, " + policy + ":1:28)",
                        "network|job|default|-|" + policy + ":7:16|-",
                        "limits.memory|2GiB|" + policy + ":6:23",
                        "Allowed in queue 'local' by " + policy + ".");
    }

    @Test
    void whatWouldBeBootedIsOneLineForEachRoleHoweverManyVmsThereAre() throws IOException {
        assertThat(explain("#VSE vcpus=2 memory=1GiB head-memory=2GiB", "--nodes", "1000"))
                .isZero();
        assertThat(shell.out().lines().map(l -> l.replaceAll(" {2,}", "|").strip()))
                .contains(
                        "head|vm0|1|2|2GiB",
                        "worker|vm1 to vm999|999|2|1GiB",
                        "image debian-12, which is not on this node");
        long lines = shell.out().lines().count();
        assertThat(explain("#VSE vcpus=2 memory=1GiB head-memory=2GiB", "--nodes", "2"))
                .isZero();
        assertThat(shell.out().lines().count()).isEqualTo(2 * lines);
        assertThat(explain("#VSE vcpus=2", "--nodes", "3", "--format", "json")).isZero();
        String json = shell.out().lines().reduce((first, last) -> last).orElseThrow();
        JsonObject plan = Json.readObject(json).object("plan").orElseThrow();
        assertThat(plan.members()).containsEntry("vms", 3L);
        assertThat(plan.objects("roles")).hasSize(2);
    }

    @Test
    void aRefusalIsShownWithTheLineThatForbids() throws IOException {
        assertThat(explain("#VSE memory=3GiB")).isEqualTo(1);
        assertThat(shell.out())
                .contains("vse: " + dir.resolve("job.sh")
                        + ":2:13: 'memory=3GiB' is more than queue 'local' allows [POLICY_LIMIT]")
                .contains("forbidden by: limits.memory at " + dir.resolve("etc/policy.yaml") + ":6:23");
        assertThat(shell.err()).isEmpty();
    }

    @Test
    void jsonHasTheTextThatSubmitPrints() throws IOException {
        assertThat(explain("#VSE image=centos-5 network=user", "--format", "json"))
                .isEqualTo(1);
        JsonObject answer = Json.readObject(shell.out());
        assertThat(answer.members()).containsEntry("allowed", false).containsEntry("queue", "local");
        assertThat(answer.objects("refusals")).hasSize(2);
        assertThat(answer.objects("refusals").get(0).text("text").orElse(""))
                .startsWith("vse: " + dir.resolve("job.sh") + ":2:29: 'network' is reserved in queue 'local'");
        assertThat(answer.objects("values")).hasSize(org.vse.policy.DirectiveKey.values().length);
    }

    @Test
    void otherQueuesPoliciesAndScriptsWithoutDirectives() throws IOException {
        assertThat(explain("#VSE image=x", "--queue", "night")).isEqualTo(1);
        assertThat(shell.out()).contains("queue 'night' runs no VMs [POLICY_QUEUE_DENIED]");
        assertThat(explain("", "--queue", "night")).isZero();
        Files.writeString(dir.resolve("new.yaml"), "queues: { night: { images: { allow: [x] } } }");
        assertThat(explain("#VSE image=x", "--queue", "night", "--policy", "new.yaml"))
                .isZero();
        assertThat(explain("#VSE image=x", "--user", "no-such-user-here")).isEqualTo(JobAttachment.OWN_FAILURE);
        assertThat(explain("#VSE image=x", "--nodes", "0")).isEqualTo(2);
    }

    @Test
    void aDescriptionIsExplainedToo() throws IOException {
        Files.writeString(dir.resolve("a.yaml"), "extends: b.yaml\nmemory: 2GiB\n");
        Files.writeString(dir.resolve("b.yaml"), "vcpus: 2\nmemory: 512MiB\n");
        assertThat(explain("#VSE vse=a.yaml")).isZero();
        assertThat(shell.out())
                .contains("512MiB (description, " + dir.resolve("b.yaml") + ":2:9); 1GiB (site, ")
                .contains(dir.resolve("a.yaml") + ":2:9");
        assertThat(shell.run("policy", "check", "--description", "a.yaml")).isZero();
        Files.writeString(dir.resolve("b.yaml"), "vcpu: 2\n");
        assertThat(shell.run("policy", "check", "--description", "a.yaml")).isEqualTo(JobAttachment.OWN_FAILURE);
        assertThat(shell.err()).contains(dir.resolve("b.yaml") + ":1:1: unknown key 'vcpu'");
    }

    @Test
    void checkNamesTheQueuesOrTheMistakes() throws IOException {
        assertThat(shell.run("policy", "check", "etc/policy.yaml")).isZero();
        assertThat(shell.out()).isEqualTo(dir.resolve("etc/policy.yaml") + ": a policy of 1 queue: local\n");
        Files.writeString(dir.resolve("bad.yaml"), "queues: { q: { limits: { memry: 1GiB } } }");
        assertThat(shell.run("policy", "check", "bad.yaml")).isEqualTo(JobAttachment.OWN_FAILURE);
        assertThat(shell.err())
                .contains("bad.yaml:1:26: unknown key 'memry' in 'limits' [POLICY_INVALID]")
                .contains("did you mean 'memory'?");
    }

    @Test
    void compileWritesTheSameToAFileAndToStandardOutput() throws IOException {
        assertThat(shell.run("policy", "compile")).isZero();
        assertThat(shell.out()).startsWith("vse-gate\t1\n").endsWith("\nend\n");
        assertThat(shell.run("policy", "compile", "--output", "policy.gate")).isZero();
        assertThat(Files.readString(dir.resolve("policy.gate"))).isEqualTo(shell.out());
        try (var left = Files.list(dir)) {
            assertThat(left.map(p -> p.getFileName().toString())).doesNotContain(".policy.gate.part");
        }
    }
}
