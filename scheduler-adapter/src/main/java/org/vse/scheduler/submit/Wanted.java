package org.vse.scheduler.submit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a user wants to submit.
 *
 * @param script path of the job script
 * @param arguments of the script
 * @param walltime hours, minutes and seconds, {@code 1:30:00}
 * @param options the batch system's own, handed on as they are
 */
public record Wanted(
        String script,
        List<String> arguments,
        Optional<String> name,
        Optional<String> queue,
        Optional<String> account,
        Optional<String> output,
        Optional<String> error,
        Optional<String> walltime,
        List<String> options) {
    public Wanted {
        arguments = List.copyOf(arguments);
        options = List.copyOf(options);
        if (script.isBlank()) {
            throw new IllegalArgumentException("no script");
        }
    }

    /** The options of this record as those of a command line, each only where it is given; then the batch system's own. */
    List<String> flags(String name, String queue, String account, String output, String error) {
        List<String> flags = new ArrayList<>();
        add(flags, name, this.name);
        add(flags, queue, this.queue);
        add(flags, account, this.account);
        add(flags, output, this.output);
        add(flags, error, this.error);
        return flags;
    }

    private static void add(List<String> flags, String flag, Optional<String> value) {
        value.ifPresent(text -> flags.addAll(List.of(flag, text)));
    }
}
