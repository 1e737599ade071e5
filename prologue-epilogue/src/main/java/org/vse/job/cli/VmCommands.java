package org.vse.job.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Answer;
import org.vse.job.client.JsonObject;
import org.vse.job.client.RawConnection;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at the VMs of running jobs and into them. */
@Command(
        name = "vm",
        description = "Looks at the VMs of running jobs and into them.",
        subcommands = {VmCommands.Ls.class, VmCommands.Console.class, VmCommands.Ssh.class, VmCommands.Tunnel.class})
final class VmCommands {
    @Command(
            name = "ls",
            description = "Lists the VMs of your jobs; root sees everybody's.",
            footer = {"%nExamples:", "  vse vm ls", "  vse vm ls --format json"})
    static final class Ls extends ListCommand {
        Ls(Context context) {
            super(
                    context,
                    Target.of("v1", "vms"),
                    "vms",
                    List.of(
                            "job",
                            "index",
                            "name",
                            "node",
                            "cores",
                            "vcpus",
                            "memoryBytes",
                            "image",
                            "state",
                            "address"));
        }
    }

    @Command(
            name = "console",
            description = "Prints the boot console of a VM.",
            footer = {"%nExamples:", "  vse vm console local-7", "  vse vm console --follow local-7.1"})
    static final class Console implements Callable<Integer> {
        private final Context context;

        @Option(
                names = {"-f", "--follow"},
                description = "Goes on until the VM has ended.")
        private boolean follow;

        @Parameters(paramLabel = "JOB[.N]", description = "Id of the job, number of the VM; without one, VM 0.")
        private String vm = "";

        Console(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            JobRef ref = JobRef.parse(vm);
            Target target = Target.of("v1", "jobs", ref.job(), "console", Integer.toString(ref.index()))
                    .with("offset", 0)
                    .with("follow", follow);
            try (Answer answer = context.client().open(Request.get(target))) {
                answer.copyTo(context.io().out());
            }
            return 0;
        }
    }

    @Command(
            name = "ssh",
            description = {
                "Opens a shell in a VM, or runs a command there, with the key that was made for this job only.",
                "The command is handed to the remote shell as ssh does it. The exit code is that of ssh."
            },
            footer = {
                "%nExamples:",
                "  vse vm ssh local-7",
                "  vse vm ssh local-7.1 -- uptime",
                "  vse vm ssh local-7 -- 'dmesg | tail'"
            })
    static final class Ssh implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "JOB[.N]", description = "Id of the job, number of the VM (default 0).")
        private String vm = "";

        @Parameters(index = "1..*", paramLabel = "CMD", description = "Command to run instead of a shell.")
        private List<String> command = List.of();

        Ssh(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            JobRef ref = JobRef.parse(vm);
            JsonObject key = context.client().call(Request.get(Target.of("v1", "jobs", ref.job(), "key")));
            Path file = Files.createTempFile(
                    "vse-key-", "", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Thread remover = new Thread(() -> remove(file), "remove-key");
            Runtime.getRuntime().addShutdownHook(remover);
            try {
                Files.writeString(file, member(key, "privateKey"));
                List<String> argv = argv(context.self(), ref, file, member(key, "user"), member(key, "host"), words());
                return context.runner()
                        .runInherited(org.vse.process.Command.of(argv)
                                .withEnv(context.environment())
                                .withCwd(context.directory()));
            } finally {
                remove(file);
            }
        }

        /** What follows JOB is taken as it stands, a separating {@code --} included; that one is not the remote shell's. */
        private List<String> words() {
            return !command.isEmpty() && command.get(0).equals("--") ? command.subList(1, command.size()) : command;
        }

        static List<String> argv(Self self, JobRef ref, Path key, String user, String host, List<String> command) {
            String proxy = String.join(
                    " ",
                    self.with("vm", "tunnel", "--", ref.job(), Integer.toString(ref.index())).stream()
                            .map(Ssh::quoted)
                            .toList());
            List<String> argv = new ArrayList<>(List.of("ssh", "-i", key.toString(), "-l", user));
            // The only way to this host is the tunnel, which ends in the network of this job alone, and its host key is
            // as old as the VM: there is nothing to compare it with.
            for (String option : List.of(
                    "ProxyCommand=" + proxy,
                    "IdentitiesOnly=yes",
                    "IdentityAgent=none",
                    "StrictHostKeyChecking=no",
                    "UserKnownHostsFile=/dev/null",
                    "GlobalKnownHostsFile=/dev/null",
                    "LogLevel=ERROR")) {
                argv.add("-o");
                argv.add(option);
            }
            argv.add("--");
            argv.add(host);
            argv.addAll(command);
            return argv;
        }

        /** For the shell that runs a ProxyCommand, after ssh has expanded {@code %} (ssh_config(5), TOKENS). */
        private static String quoted(String argument) {
            return "'" + argument.replace("'", "'\\''").replace("%", "%%") + "'";
        }

        private static String member(JsonObject key, String name) {
            return key.text(name)
                    .orElseThrow(() ->
                            VseException.of(ErrorCode.INTERNAL, "vsed sent a key without the member '" + name + "'"));
        }

        private static void remove(Path file) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Command(
            name = "tunnel",
            hidden = true,
            description = "Connects standard input and output to a TCP port of a VM; ssh uses it as its ProxyCommand.")
    static final class Tunnel implements Callable<Integer> {
        private final Context context;

        @Option(names = "--port", paramLabel = "PORT", description = "TCP port.", defaultValue = "22")
        private int port;

        @Parameters(index = "0", paramLabel = "JOB", description = "Id of the job.")
        private String job = "";

        @Parameters(index = "1", paramLabel = "N", description = "Number of the VM.")
        private int index;

        Tunnel(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Target target = Target.of("v1", "jobs", job, "tunnel", Integer.toString(index))
                    .with("port", port);
            try (RawConnection raw = context.client().upgrade(Request.upgrade(target))) {
                Thread sender = new Thread(() -> send(raw), "tunnel-in");
                sender.setDaemon(true);
                sender.start();
                raw.receive(context.io().out());
            }
            return 0;
        }

        private void send(RawConnection raw) {
            try {
                raw.send(context.io().in());
            } catch (IOException e) {
                context.io().say("vse: tunnel to VM " + index + " of job " + job + ": " + e.getMessage());
            }
        }
    }
}
