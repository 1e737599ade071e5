package org.vse.job.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The state directory has room for images, overlays and output. */
final class DiskSpace implements Check {
    private static final long GIB = 1L << 30;
    /** An image and the overlay of one small job. */
    private static final long LEAST = GIB;

    private static final long COMFORTABLE = 10 * GIB;

    @Override
    public String name() {
        return "disk-space";
    }

    @Override
    public Finding look(Host host) {
        Path at = host.at(host.state());
        while (!Files.exists(at) && at.getParent() != null) {
            at = at.getParent();
        }
        long bytes;
        try {
            bytes = host.kernel().usableBytes(at);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the space of '" + host.state() + "' cannot be asked for")
                    .because(e);
        }
        String found = String.format(Locale.ROOT, "%.1f GiB are free for %s", (double) bytes / GIB, host.state());
        String mend = "free some, or move " + host.state() + " and set VSE_STATE_DIR";
        if (bytes < LEAST) {
            return Finding.failed(found + ", at least 1 GiB is needed", mend);
        }
        return bytes < COMFORTABLE ? Finding.warning(found + ", less than 10 GiB", mend) : Finding.ok(found);
    }
}
