package org.vse.job.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every option has a variable that gives its default: {@code VSE_FORMAT}, {@code VSE_QUIET}, {@code VSE_SCHEDULER} and {@code VSE_YES} for all
 * commands; all others carry the name of their command, as {@code vse run --user} is {@code VSE_RUN_USER}. An empty
 * variable counts as none.
 */
final class EnvironmentTwins implements IDefaultValueProvider {
    private static final Set<String> SHARED = Set.of("--format", "--quiet", "--scheduler", "--yes");
    /** Named like a shared one, but something else: the format of a disk is not that of a listing. */
    private static final Set<String> OWN = Set.of("import --format");

    private static final Set<String> WITHOUT = Set.of("--help");

    private final Map<String, String> environment;

    EnvironmentTwins(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Installs the defaults and adds each variable's name to the help. */
    void install(CommandLine command) {
        command.setDefaultValueProvider(this);
        describe(command);
    }

    static String variable(OptionSpec option) {
        String name = option.longestName();
        String group = SHARED.contains(name) && !OWN.contains(option.command().name() + " " + name)
                ? ""
                : group(option.command()) + "_";
        return "VSE_" + (group + name.substring(2)).toUpperCase(Locale.ROOT).replace('-', '_');
    }

    @Override
    public String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option) || WITHOUT.contains(option.longestName())) {
            return argument.defaultValue();
        }
        String variable = variable(option);
        String value = environment.getOrDefault(variable, "");
        if (value.isEmpty()) {
            return argument.defaultValue();
        }
        return option.type() == boolean.class ? truth(variable, value) : value;
    }

    private static String truth(String variable, String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "1", "yes", "true", "on" -> "true";
            case "0", "no", "false", "off" -> "false";
            default ->
                throw VseException.of(ErrorCode.USAGE, "'" + value + "' is not a truth value")
                        .at(variable)
                        .fact("allowed", "1, 0, yes, no, true, false, on, off");
        };
    }

    private static String group(CommandSpec command) {
        CommandSpec group = command;
        while (group.parent() != null && group.parent().parent() != null) {
            group = group.parent();
        }
        return group.name();
    }

    private static void describe(CommandLine command) {
        for (OptionSpec option : List.copyOf(command.getCommandSpec().options())) {
            if (!WITHOUT.contains(option.longestName())) {
                String variable = "[" + variable(option) + "]";
                command.getCommandSpec().remove(option);
                command.getCommandSpec()
                        .addOption(OptionSpec.builder(option)
                                .description(Stream.concat(Stream.of(option.description()), Stream.of(variable))
                                        .toArray(String[]::new))
                                .build());
            }
        }
        command.getSubcommands().values().forEach(EnvironmentTwins::describe);
    }
}
