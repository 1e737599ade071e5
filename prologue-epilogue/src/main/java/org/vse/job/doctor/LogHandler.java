package org.vse.job.doctor;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/** vsed's own libvirtd lets QEMU write files itself; virtlogd would cut a job's output at 2 MiB. */
final class LogHandler implements Check {
    private static final Pattern SETTING = Pattern.compile("(?m)^\\s*stdio_handler\\s*=\\s*\"([^\"]*)\"");

    @Override
    public String name() {
        return "log-handler";
    }

    @Override
    public Finding look(Host host) {
        Path file = host.state().resolve("libvirt/etc/qemu.conf");
        return host.reading(
                file, text -> of(file, text), Finding.ok("vsed has not started its libvirtd yet; it will say 'file'"));
    }

    private static Finding of(Path file, String text) {
        Optional<String> handler =
                SETTING.matcher(text).results().map(m -> m.group(1)).reduce((before, last) -> last);
        if (handler.filter("file"::equals).isPresent()) {
            return Finding.ok("stdio_handler = \"file\" in " + file);
        }
        return Finding.failed(
                "stdio_handler is '" + handler.orElse("logd") + "' in " + file
                        + ": virtlogd drops what a job writes beyond 2 MiB",
                "vse down --cancel-jobs && vse up");
    }
}
