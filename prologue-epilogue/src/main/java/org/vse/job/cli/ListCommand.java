package org.vse.job.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Mixin;

/** Prints an array that vsed answers with, its members as rows. */
abstract class ListCommand implements Callable<Integer> {
    private final Context context;
    private final Target target;
    private final String array;
    private final List<String> columns;

    @Mixin
    private Listing listing = new Listing();

    /**
     * @param array member of the answer
     * @param columns members of its objects, in the order shown
     */
    ListCommand(Context context, Target target, String array, List<String> columns) {
        this.context = context;
        this.target = target;
        this.array = array;
        this.columns = columns;
    }

    @Override
    public final Integer call() throws IOException {
        listing.print(context, context.client().text(Request.get(target)), array, columns);
        return 0;
    }
}
