package org.vse.provisioner.fake;

import java.util.Optional;

/** What the guests of a {@link FakeDriver} do. Called from any thread. */
@FunctionalInterface
public interface FakeGuest {
    /** A guest whose agent answers every request with an empty result, and that does nothing by itself. */
    static FakeGuest obedient() {
        return (machine, request) -> Optional.of("{\"return\":{}}");
    }

    /** A guest whose agent never answers. */
    static FakeGuest silent() {
        return (machine, request) -> Optional.empty();
    }

    /**
     * The agent is asked.
     *
     * @param request one JSON text
     * @return the reply, or empty when there is none: the driver then waits until the caller's time is over
     */
    Optional<String> answer(FakeMachine machine, String request);

    /** The machine has been started. Runs on a thread of its own; may write, and may end the machine. */
    default void booted(FakeMachine machine) {}
}
