package org.vse.job.cli;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * The controlling terminal in raw mode: every key goes to the job. Closing restores what was; so does the end of this
 * process by {@code exit} or by a signal that Java handles.
 */
final class RawMode implements AutoCloseable {
    private final CommandRunner runner;
    private final String before;
    private final Thread restorer = new Thread(this::restore, "restore-terminal");
    private boolean raw;

    private RawMode(CommandRunner runner, String before) {
        this.runner = runner;
        this.before = before;
    }

    /** @throws org.vse.failure.VseException COMMAND_FAILED when there is no controlling terminal */
    static RawMode enter(CommandRunner runner) {
        RawMode mode = new RawMode(runner, stty(runner, "-g").strip());
        Runtime.getRuntime().addShutdownHook(mode.restorer);
        mode.raw = true;
        stty(runner, "raw", "-echo");
        return mode;
    }

    /** What the API calls {@code terminal}. */
    static Map<String, Object> describe(CommandRunner runner, String type) {
        String[] size = stty(runner, "size").strip().split(" ");
        Map<String, Object> terminal = new TreeMap<>();
        terminal.put("rows", Long.parseLong(size[0]));
        terminal.put("columns", Long.parseLong(size[1]));
        terminal.put("type", type);
        return terminal;
    }

    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(restorer);
        } catch (IllegalStateException e) {
            // The process is ending already and the hook has run or finds nothing to do.
            return;
        }
    }

    private synchronized void restore() {
        if (raw) {
            raw = false;
            stty(runner, before);
        }
    }

    private static String stty(CommandRunner runner, String... arguments) {
        List<String> argv = new java.util.ArrayList<>(List.of("stty", "-F", "/dev/tty"));
        argv.addAll(List.of(arguments));
        CommandResult result = runner.run(Command.of(argv).withTimeout(Duration.ofSeconds(5)));
        return result.orThrow("setting the terminal").stdout();
    }
}
