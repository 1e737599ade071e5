package org.vse.scheduler;

import java.util.List;
import java.util.Map;

/** Where on a node more about a job is written down than its hook is told. */
public sealed interface Source {
    /** A file that only the batch system writes. */
    record File(String path) implements Source {
        public File {
            if (!path.startsWith("/")) {
                throw new IllegalArgumentException("not an absolute path: '" + path + "'");
            }
        }
    }

    /**
     * What a command of the batch system prints.
     *
     * @param environment what the command needs beside the node's own environment
     */
    record Answer(List<String> argv, Map<String, String> environment) implements Source {
        public Answer {
            argv = List.copyOf(argv);
            environment = Map.copyOf(environment);
            if (argv.isEmpty()) {
                throw new IllegalArgumentException("no command");
            }
        }
    }
}
