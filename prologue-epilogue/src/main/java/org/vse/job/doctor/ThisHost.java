package org.vse.job.doctor;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/** The edges to the host that this process runs on. */
public final class ThisHost implements Host.Programs, Host.Kernel {
    /** More than struct timex has on any Linux. */
    private static final int TIMEX_BYTES = 512;

    private static final int TIME_ERROR = 5;

    private final CommandRunner commands;

    public ThisHost(CommandRunner commands) {
        this.commands = commands;
    }

    @Override
    public Optional<Path> find(String program) {
        return CommandRunner.find(program);
    }

    @Override
    public CommandResult run(Command command) {
        return commands.run(command);
    }

    @Override
    public long usableBytes(Path path) throws IOException {
        return Files.getFileStore(path).getUsableSpace();
    }

    /** With modes 0 adjtimex(2) changes nothing, and anybody may call it. */
    @Override
    public boolean isClockSynchronised() {
        try (Memory timex = new Memory(TIMEX_BYTES)) {
            timex.clear();
            int state = Native.load("c", Libc.class).adjtimex(timex);
            return state >= 0 && state != TIME_ERROR;
        }
    }

    private interface Libc extends Library {
        int adjtimex(Pointer timex);
    }
}
