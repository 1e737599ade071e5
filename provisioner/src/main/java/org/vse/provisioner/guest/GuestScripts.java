package org.vse.provisioner.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The fixed shell scripts that run in guests. They are constants: nothing is ever inserted into them. */
final class GuestScripts {
    static final String ACCOUNTS = read("accounts.sh");
    static final String SETUP = read("runtime.sh") + ACCOUNTS + read("setup.sh");
    static final String START = read("runtime.sh") + read("ports.sh") + read("start.sh");
    static final String RUNNER = read("runtime.sh") + read("ports.sh") + read("runner.sh");
    static final String ENTER = read("enter.sh");
    static final String SIGNAL = read("runtime.sh") + read("signal.sh");
    static final String STATUS = read("runtime.sh") + read("status.sh");

    private GuestScripts() {}

    private static String read(String name) {
        try (InputStream in = GuestScripts.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
