package org.vse.provisioner.libvirt;

import org.jspecify.annotations.Nullable;
import org.libvirt.Connect;
import org.libvirt.Library;
import org.libvirt.LibvirtException;
import org.libvirt.jna.Libvirt.VirErrorCallback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * libvirt's event loop in this process. libvirt has one for the whole process, it must be registered before the first
 * connection, and it cannot be taken back; hence it is started once and never stopped.
 */
final class EventLoop {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);
    /** libvirt prints every error to stderr unless somebody else takes them; ours arrive as exceptions. */
    private static final VirErrorCallback SILENT = (data, error) -> {};

    private static boolean started;
    /** libvirt's words when the loop has ended, else null. */
    private static volatile @Nullable String failure;

    private EventLoop() {}

    /** Starts the loop unless it runs. Before each new connection. */
    static synchronized void ensureRunning() {
        try {
            if (!started) {
                Connect.setErrorCallback(SILENT);
                Library.initEventLoop();
                Thread thread = new Thread(EventLoop::run, "libvirt-events");
                thread.setDaemon(true);
                thread.start();
                started = true;
            }
        } catch (LibvirtException e) {
            throw unusable(LibvirtErrors.said(e)).because(e);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            throw VseException.of(ErrorCode.PACKAGE_MISSING, "the library libvirt.so.0 cannot be loaded")
                    .fact("reason", e)
                    .next("apt-get install libvirt0")
                    .because(e);
        }
        String dead = failure;
        if (dead != null) {
            throw unusable(dead);
        }
    }

    private static void run() {
        try {
            Library.runEventLoop();
        } catch (LibvirtException e) {
            failure = LibvirtErrors.said(e);
            LOG.error("libvirt's event loop has ended", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static VseException unusable(String said) {
        return VseException.of(ErrorCode.LIBVIRT_FAILED, "libvirt's event loop does not run")
                .fact("libvirt", said);
    }
}
