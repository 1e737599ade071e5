package org.vse.job.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.vse.failure.VseException;
import org.vse.job.daemon.NodeSettings;
import org.vse.job.peer.PeerIdentity;

/** Whether this node can still prove to others who it is. */
final class Certificate implements Check {
    @Override
    public String name() {
        return "certificate";
    }

    @Override
    public Finding look(Host host) {
        NodeSettings settings = Configuration.settings(host);
        if (settings.certificates().isEmpty()) {
            return Finding.ok("none is needed: this node has no others");
        }
        Path file = host.config().resolve(settings.certificates().get()).resolve(PeerIdentity.CERTIFICATE);
        Path real = host.at(file);
        Path directory = real.getParent();
        if (directory != null && Files.exists(directory) && !Files.isReadable(real) && !host.isRoot()) {
            return Finding.forRoot(file.toString());
        }
        try {
            Instant until = PeerIdentity.until(real);
            Instant now = host.clock().instant();
            String found = file + " is valid until " + until;
            String mend =
                    "vse certs issue NODE on the host of the authority, then copy the files here and restart vsed";
            if (now.isAfter(until)) {
                return Finding.failed(found, mend);
            }
            boolean soon = Duration.between(now, until).compareTo(PeerIdentity.WARNING) < 0;
            return soon ? Finding.warning(found, mend) : Finding.ok(found);
        } catch (VseException e) {
            return Finding.failed(file + ": " + e.what(), "vse certs issue NODE on the host of the authority");
        }
    }
}
