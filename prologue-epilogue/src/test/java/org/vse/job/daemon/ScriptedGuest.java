package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.vse.provisioner.fake.FakeGuest;
import org.vse.provisioner.fake.FakeMachine;
import org.vse.provisioner.guest.ControlRecords;
import org.vse.provisioner.guest.GuestJob;

/** A guest that does what it is told and whose script says {@code hello} and exits with 7, at once or when asked to. */
final class ScriptedGuest implements FakeGuest {
    private final ObjectMapper json = new ObjectMapper();
    private final boolean endsAtOnce;
    private final AtomicReference<FakeMachine> running = new AtomicReference<>();
    private final List<String> scripts = new CopyOnWriteArrayList<>();

    ScriptedGuest(boolean endsAtOnce) {
        this.endsAtOnce = endsAtOnce;
    }

    /** Names of the scripts that it was given, in their order. */
    List<String> scripts() {
        return List.copyOf(scripts);
    }

    boolean isRunning() {
        return running.get() != null;
    }

    /** The script ends, whether or not anybody is there to see it. */
    void endScript(FakeMachine machine) {
        machine.write(GuestJob.STDOUT_PORT, "hello\n");
        machine.write(ControlRecords.PORT, "exit 7 6 0\n");
    }

    /** The machine in which the script runs. */
    FakeMachine machine() {
        return java.util.Objects.requireNonNull(running.get());
    }

    @Override
    public Optional<String> answer(FakeMachine machine, String request) {
        try {
            JsonNode tree = json.readTree(request);
            return Optional.of(
                    switch (tree.path("execute").asText()) {
                        case "guest-exec" -> {
                            launch(machine, tree.path("arguments").path("arg"));
                            yield "{\"return\":{\"pid\":42}}";
                        }
                        case "guest-exec-status" ->
                            "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\""
                                    + Base64.getEncoder().encodeToString("1\n".getBytes(StandardCharsets.US_ASCII))
                                    + "\"}}";
                        default -> "{\"return\":{}}";
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void launch(FakeMachine machine, JsonNode arguments) {
        scripts.add(arguments.path(2).asText());
        if (arguments.path(2).asText().equals("vse-start")) {
            machine.write(ControlRecords.PORT, "started 43\n");
            running.set(machine);
            if (endsAtOnce) {
                endScript(machine);
            }
        } else if (arguments.path(2).asText().equals("vse") && arguments.path(3).isTextual()) {
            // A signal: the script obeys.
            machine.write(ControlRecords.PORT, "exit 143 0 0\n");
        }
    }
}
