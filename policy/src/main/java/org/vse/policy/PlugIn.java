package org.vse.policy;

import java.nio.file.Path;
import java.util.List;

/**
 * What prepares a job's VMs further: docs/plugins.md.
 *
 * @param name one of {@link #BUILT_IN}, or that of a program of the site
 * @param argument what stands after the colon; empty for nothing
 * @param program absolute path of a program of the site; empty for a built-in one, and until it was looked up
 */
public record PlugIn(String name, String argument, String program) {
    /** The built-in one that writes the host file of MPI. */
    public static final String HOSTFILE = "hostfile";

    /** The built-in one that serves a directory of the head to the workers. */
    public static final String NFS_SERVER = "nfs-server";

    /** Those that this software brings. */
    public static final List<String> BUILT_IN = List.of(HOSTFILE, NFS_SERVER);

    static final String FORM = "[a-z][a-z0-9-]{0,31}(:[A-Za-z0-9._/@+-]{1,128})?";
    static final String RANGE = "name, then : and a word for it if it takes one";

    /** One word of {@code plug-ins=}. */
    public static PlugIn one(String word) {
        int colon = word.indexOf(':');
        return colon < 0
                ? new PlugIn(word, "", "")
                : new PlugIn(word.substring(0, colon), word.substring(colon + 1), "");
    }

    /** The same with its program below that directory, unless this software brings it. */
    public PlugIn in(Path directory) {
        return BUILT_IN.contains(name)
                ? this
                : new PlugIn(name, argument, directory.resolve(name).toString());
    }
}
