package org.vse.test.site;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A {@code vse} at a terminal of its own, and who types there. */
public final class Typist implements AutoCloseable {
    private final Started program;
    private final OutputStream keys;

    private Typist(Started program, OutputStream keys) {
        this.program = program;
        this.keys = keys;
    }

    /**
     * Sits down at a desk, on a terminal of 33 rows and 99 columns.
     *
     * @param keyboard a FIFO that is made for it, which the desk's user may open
     * @param words of vse's command line
     */
    public static Typist at(Desk desk, Path keyboard, String... words) throws IOException {
        desk.program("mkfifo", keyboard.toString()).finish().expect(0);
        Started program = desk.reading(keyboard)
                .with("TERM", "xterm")
                .program(
                        "script",
                        "-qefc",
                        "stty rows 33 cols 99; exec " + String.join(" ", desk.words(words)),
                        "/dev/null");
        return new Typist(program, Files.newOutputStream(keyboard));
    }

    /** Types, after the terminal has shown something. */
    public void type(String shown, String text) throws IOException {
        program.awaitOut(shown);
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    /** How it ended, with all that the terminal has shown as its output. */
    public Finished finish() {
        return program.finish();
    }

    @Override
    public void close() throws IOException {
        keys.close();
    }
}
