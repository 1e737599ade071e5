package org.vse.job.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.Version;
import org.vse.job.client.VsedClient;
import org.vse.job.daemon.Vsed;
import org.vse.process.CommandRunner;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command {@code vse}.
 *
 * <p>Exit codes: 0; 1 when {@code vse doctor} has found what keeps jobs from running; 2 for a mistake on the command line; 125 for any other failure of VSE; else that of the job.
 */
@Command(
        name = "vse",
        description = "Batch jobs in pinned virtual machines.",
        subcommands = {
            RunCommand.class,
            SubmitCommands.Submit.class,
            SubmitCommands.Wait.class,
            SubmitCommands.Ps.class,
            JobCommands.class,
            CheckpointCommands.class,
            VmCommands.class,
            ImageCommands.class,
            NodeCommands.class,
            TopCommand.class,
            CertsCommands.class,
            PolicyCommands.class,
            ReportCommands.class,
            LedgerCommands.class,
            DoctorCommand.class,
            InstallCommand.class,
            DaemonCommands.Up.class,
            DaemonCommands.Down.class,
            DaemonCommands.Vsed.class,
            Vse.ShowVersion.class
        },
        footer = {
            "%nExamples:",
            "  vse run examples/jobs/hello.sh      a job in a VM, here and now",
            "  vse job ls                          your jobs",
            "  vse vm ssh local-7                  a shell in the VM of a job",
            "  vse report vms --since 7d           what ran where",
            "",
            "Every option has an environment variable, shown in brackets. Where things are: VSE_RUN_DIR (/run/vse),",
            "VSE_STATE_DIR (/var/lib/vse), VSE_CONFIG_DIR (/etc/vse). For a user without root's vsed: /tmp/vse-UID,",
            "~/.local/state/vse, ~/.config/vse, and images also from VSE_IMAGES_DIR (/var/lib/vse/images).",
            "'vse COMMAND --help' tells more."
        })
public final class Vse {
    private static final int USAGE = 2;

    /** What follows their first argument is somebody else's. */
    private static final Set<String> TAKE_A_COMMAND_LINE = Set.of("run", "ssh", "submit");

    private Vse() {}

    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("hook")) {
            HookEntry.main(Arrays.copyOfRange(args, 1, args.length));
            return;
        }
        Site site = Site.of(System.getenv(), Standing.uid(), () -> new VsedClient(Site.systemSocket()).reachable());
        Context context = new Context(
                Io.standard(),
                System.getenv(),
                Path.of("").toAbsolutePath(),
                site,
                Self.current(),
                new Vsed(site.config(), site.state(), site.run(), site.images())::run,
                new CommandRunner(),
                Clock.systemUTC());
        System.exit(run(context, args));
    }

    static int run(Context context, String... args) {
        CommandLine command = commandLine(context);
        command.setOut(new PrintWriter(context.io().out(), true, StandardCharsets.UTF_8));
        command.setParameterExceptionHandler((e, ignored) -> {
            context.io().say(usage(e).render());
            return USAGE;
        });
        command.setExecutionExceptionHandler((e, failed, parsed) -> {
            VseException failure = failure(e);
            context.io().say(failure.render());
            return failure.code() == ErrorCode.USAGE ? USAGE : JobAttachment.OWN_FAILURE;
        });
        try {
            return command.execute(args.length == 0 ? new String[] {"--help"} : args);
        } catch (VseException e) {
            context.io().say(e.render());
            return e.kind() == Kind.USER ? USAGE : JobAttachment.OWN_FAILURE;
        }
    }

    static CommandLine commandLine(Context context) {
        CommandLine command = new CommandLine(Vse.class, new CommandLine.IFactory() {
            @Override
            public <K> K create(Class<K> type) throws Exception {
                return instance(type, context);
            }
        });
        prepare(command);
        new EnvironmentTwins(context.environment()).install(command);
        return command;
    }

    private static void prepare(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        spec.addOption(CommandLine.Model.OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("Shows this help.")
                .build());
        spec.parser().stopAtPositional(TAKE_A_COMMAND_LINE.contains(spec.name()));
        spec.usageMessage().width(110).abbreviateSynopsis(false).sortOptions(true);
        command.getSubcommands().values().forEach(Vse::prepare);
    }

    private static <K> K instance(Class<K> type, Context context) throws Exception {
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Context.class) {
                return type.cast(constructor.newInstance(context));
            }
        }
        if (type.getName().startsWith("org.vse.")) {
            return type.cast(type.getDeclaredConstructor().newInstance());
        }
        return CommandLine.defaultFactory().create(type);
    }

    private static VseException usage(ParameterException e) {
        if (e.getCause() instanceof VseException failure) {
            return failure;
        }
        CommandSpec spec = e.getCommandLine().getCommandSpec();
        VseException usage = VseException.of(ErrorCode.USAGE, decapitalised(e.getMessage()));
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getSuggestions().isEmpty()) {
            usage.fact("did you mean", String.join(", ", unmatched.getSuggestions()));
        }
        return usage.next(spec.qualifiedName() + " --help");
    }

    private static VseException failure(Exception e) {
        if (e instanceof VseException failure) {
            return failure;
        }
        if (e instanceof IOException) {
            return VseException.of(ErrorCode.INTERNAL, "reading or writing failed")
                    .fact("reason", e)
                    .because(e);
        }
        StackTraceElement[] trace = e.getStackTrace();
        return VseException.of(ErrorCode.INTERNAL, "this should not have happened")
                .fact("reason", e)
                .fact("where", trace.length == 0 ? "unknown" : trace[0])
                .because(e);
    }

    private static String decapitalised(@Nullable String message) {
        String line = String.valueOf(message).lines().findFirst().orElse("wrong command line");
        return Character.toLowerCase(line.charAt(0)) + line.substring(1);
    }

    @Command(
            name = "version",
            description = "Prints the version of VSE and of the Java it runs on.",
            footer = {"%nExamples:", "  vse version"})
    static final class ShowVersion implements Callable<Integer> {
        private final Context context;

        ShowVersion(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            context.io().print("vse " + Version.text() + " (java " + System.getProperty("java.version") + ")");
            return 0;
        }
    }
}
