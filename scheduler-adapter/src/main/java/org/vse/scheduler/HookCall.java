package org.vse.scheduler;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One call of a batch system's hook, as it came.
 *
 * @param arguments without the program's name
 * @param environment of the hook; for a prologue or epilogue only what {@link Dialect#passes} lets through
 * @param input what stood on standard input where {@link Dialect#readsInput} says so, else empty
 */
public record HookCall(HookPoint point, List<String> arguments, Map<String, String> environment, String input) {
    public HookCall {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /** The same call with nothing in its environment but what the dialect lets through. */
    public HookCall reduced(Dialect dialect) {
        Map<String, String> kept = new TreeMap<>(environment);
        kept.keySet().removeIf(name -> !dialect.passes(name));
        return new HookCall(point, arguments, kept, input);
    }
}
