package org.vse.scheduler;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.Kind;
import org.vse.failure.VseException;

/**
 * How one batch system speaks. Pure: from what its hooks are told to values, and from values to what it must be told. The
 * implementations are those of {@link BatchSystem}, final siblings with the same methods in the same order.
 *
 * <p>A method that reads throws a {@link VseException}, never anything else, for whatever a hook may be called with.
 */
public interface Dialect {
    /** As the batch system is called on command lines. */
    String word();

    /** True for a variable that a prologue or epilogue may hand on to code that runs as root. */
    boolean passes(String variable);

    /** True when the hook is told something on its standard input. */
    boolean readsInput(HookPoint point);

    /** Which job, and where the hook is told, which attempt of it. */
    AttemptId attempt(HookCall call);

    /** What must be read for {@link #facts}: by whoever has the node's files, as root, nothing of it written by a user. */
    List<Source> sources(HookCall call);

    /**
     * What the batch system has decided about the job of a prologue.
     *
     * @param contents of every one of {@link #sources}
     */
    JobFacts facts(HookCall call, Map<Source, String> contents);

    /** What the starter was given to run. */
    Launch launch(HookCall call);

    /** The script's environment, with every variable that lists nodes or counts their cores telling of the machines. */
    Map<String, String> environment(Map<String, String> environment, List<VirtualNode> machines);

    /**
     * What a hook that failed tells the batch system. No answer to a mistake of a user harms a node, and an epilogue's is 0.
     *
     * @return an exit code, 0 where the job is to end in a later hook
     */
    int exitCode(HookPoint point, Kind kind);

    /** What the starter of a job whose machines were saved ends with, so that the job is started again. */
    int goesOnLater();

    /** Whether the hook that ends a job asks for that: then it is told on standard output that the machines were saved. */
    boolean epilogueStartsAgain();

    /** Whether a job's walltime stands still while the batch system has it suspended. */
    boolean suspensionIsFree();

    /**
     * What the starter was given.
     *
     * @param script path of the spooled script, which the job's user can read; empty for an interactive job
     * @param arguments of the script
     */
    record Launch(Optional<String> script, List<String> arguments) {
        public Launch {
            arguments = List.copyOf(arguments);
        }
    }
}
