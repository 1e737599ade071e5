package org.vse.job.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The three standard streams, unbuffered, and which of them are terminals.
 *
 * @param in bytes of the user
 * @param out data only: what a pipe or a file should hold
 * @param err words for people, and the job's own standard error
 * @param inIsTerminal standard input is a terminal
 * @param errIsTerminal standard error is a terminal
 */
record Io(InputStream in, OutputStream out, OutputStream err, boolean inIsTerminal, boolean errIsTerminal) {
    static Io standard() {
        return new Io(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                terminal(0),
                terminal(2));
    }

    /** Standard output is a terminal. */
    boolean outIsTerminal() {
        return out instanceof FileOutputStream && terminal(1);
    }

    /** Writes data and a line feed to standard output. */
    void print(String text) throws IOException {
        out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Writes one line for people in a single write, so that lines of several threads stay whole. */
    void say(String line) {
        try {
            err.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // Nobody reads standard error any more: there is no one left to tell.
            return;
        }
    }

    /** The same for a terminal in raw mode, where a line feed alone does not return to the margin. */
    Io forRawTerminal() {
        OutputStream returning = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                String text = new String(bytes, offset, length, StandardCharsets.UTF_8);
                err.write(text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
            }
        };
        return new Io(in, out, returning, inIsTerminal, errIsTerminal);
    }

    private static boolean terminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(descriptor)))
                    .toString();
            return target.matches("/dev/(pts/[0-9]+|tty.*|console)");
        } catch (IOException e) {
            return false;
        }
    }
}
