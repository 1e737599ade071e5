package org.vse.test.site;

import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vse.process.ProcessIdentity;

/** A command that runs. */
public final class Started {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final List<String> arguments;
    private final Process process;
    private final ProcessIdentity identity;
    private final Path stdout;
    private final Path stderr;

    Started(List<String> arguments, Process process, Path stdout, Path stderr) {
        this.arguments = arguments;
        this.process = process;
        this.identity = ProcessIdentity.of(process.pid()).orElse(new ProcessIdentity(process.pid(), -1));
        this.stdout = stdout;
        this.stderr = stderr;
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Sends a signal by its number. */
    public void signal(int number) {
        identity.signal(number);
    }

    public String out() {
        return Finished.text(stdout);
    }

    public String err() {
        return Finished.text(stderr);
    }

    /** Returns once standard output contains this. */
    public Started awaitOut(String text) {
        return awaitOut(text, PATIENCE);
    }

    /** Returns once standard output contains this. */
    public Started awaitOut(String text, Duration patience) {
        awaitText(stdout, text, patience);
        return this;
    }

    /** Returns once standard error contains this. */
    public Started awaitErr(String text) {
        awaitText(stderr, text, PATIENCE);
        return this;
    }

    /** The id of the job that it runs, once it has said so. */
    public String job() {
        await("the id of the job of " + this)
                .atMost(Duration.ofSeconds(60))
                .until(() -> JobId.in(err()).isPresent() || !process.isAlive());
        return JobId.in(err()).orElseThrow(() -> new AssertionError("no job id in: " + err()));
    }

    /** How it ends; it is killed, and the test fails, when it does not. */
    public Finished finish(Duration timeout) {
        try {
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("did not end within " + timeout.toSeconds() + " s: " + this);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        return new Finished(arguments, process.exitValue(), stdout, stderr);
    }

    /** How it ends within two minutes. */
    public Finished finish() {
        return finish(Duration.ofMinutes(2));
    }

    @Override
    public String toString() {
        return "vse " + String.join(" ", arguments) + "\nstdout: " + out() + "\nstderr: " + err();
    }

    private void awaitText(Path file, String text, Duration patience) {
        await("'" + text + "' from " + this)
                .atMost(patience)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> Finished.text(file).contains(text) || !process.isAlive());
        if (!Finished.text(file).contains(text)) {
            throw new AssertionError("ended without '" + text + "': " + this);
        }
    }
}
