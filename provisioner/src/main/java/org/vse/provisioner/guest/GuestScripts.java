package org.vse.provisioner.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The fixed shell scripts that run in guests. They are constants: nothing is ever inserted into them. Their comments stay
 * here: an emulated guest reads them letter by letter.
 */
final class GuestScripts {
    private static final Pattern COMMENT = Pattern.compile("(?m)^ *#.*\\n");

    static final String ACCOUNTS = read("accounts.sh");
    static final String SETUP = read("runtime.sh") + read("ports.sh") + ACCOUNTS + read("setup.sh");
    static final String START = read("runtime.sh") + read("ports.sh") + read("start.sh");
    static final String RUNNER = read("runtime.sh") + read("runner.sh");
    static final String ENTER = read("enter.sh");
    static final String SIGNAL = read("runtime.sh") + read("signal.sh");
    static final String EXPORT = read("runtime.sh") + read("export.sh");
    static final String IMPORT = read("runtime.sh") + read("import.sh");
    static final String STATUS = read("runtime.sh") + read("status.sh");

    private GuestScripts() {}

    private static String read(String name) {
        try (InputStream in = GuestScripts.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing");
            }
            return COMMENT.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .replaceAll("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
