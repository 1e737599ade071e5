package org.vse.job.step;

import java.util.ArrayList;
import java.util.List;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;

/**
 * The machines of a job on all its nodes, while they are saved or go on: the words of {@link SaveWord}, each said everywhere at
 * once.
 *
 * @param here those of this node, the job's first
 * @param set the job's name in the store of checkpoints
 * @param number of the set
 */
public record AllMachines(Node node, Job job, MachinesHere here, String set, int number) {
    /** Those of a job that runs, whose next set is not begun. */
    public static AllMachines of(Node node, Job job) {
        return new AllMachines(node, job, new MachinesHere(node, job), SetName.of(node, job.record()), 1);
    }

    /**
     * Returns when all nodes have done it.
     *
     * @return every node's files, for {@link SaveWord#SEAL}
     * @throws VseException the first failure, the others in it
     */
    public List<MachinesHere.Sealed> say(SaveWord word) {
        List<MachinesHere.Sealed> mine = new ArrayList<>();
        List<MachinesHere.Sealed> others = new ArrayList<>();
        InParallel.each(
                List.<Runnable>of(
                        () -> here.say(word, set, number).ifPresent(mine::add),
                        () -> others.addAll(node.sisters().say(job, word, set, number))),
                Runnable::run);
        mine.addAll(others);
        return mine;
    }
}
