package org.vse.policy;

import java.nio.file.Path;

/**
 * What prepares a job's VMs further: docs/plugins.md.
 *
 * @param name {@value #HOSTFILE}, or that of a program of the site
 * @param argument what stands after the colon; empty for nothing
 * @param program absolute path of a program of the site; empty for a built-in one, and until it was looked up
 */
public record PlugIn(String name, String argument, String program) {
    /** The built-in one that writes the host file of MPI. */
    public static final String HOSTFILE = "hostfile";

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
        return name.equals(HOSTFILE)
                ? this
                : new PlugIn(name, argument, directory.resolve(name).toString());
    }
}
