package org.vse.provisioner.guest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/**
 * A directory of one guest that others mount: NFS 4 from kernel to kernel, on the network that the guests have in common. Every
 * access to it is one user's. The image needs the kernel's modules {@code nfsd} and {@code nfsv4}, and no program of NFS.
 */
public final class GuestExport {
    private static final int MAX_OUTPUT_BYTES = 64 << 10;

    private GuestExport() {}

    /**
     * Serves a directory, made where it is missing; returns when the server answers. Doing it again changes nothing.
     *
     * @param directory absolute, in the guest
     * @param uid whose every access is
     * @param clients numeric addresses that may mount it; with none the directory is made and nothing is served
     * @return with the exit code 0, or with the reason on standard error
     * @throws org.vse.failure.VseException as {@link GuestControl#exec}
     */
    public static GuestResult serve(
            GuestControl guest, String directory, int uid, int gid, List<String> clients, Duration timeout) {
        List<String> arguments = new ArrayList<>(
                List.of("vse-export", GuestPath.require(directory), Integer.toString(uid), Integer.toString(gid)));
        arguments.addAll(clients);
        return GuestShell.run(guest, GuestScripts.EXPORT, arguments, new byte[0], timeout, MAX_OUTPUT_BYTES);
    }

    /**
     * Mounts what another guest serves. Nothing is hidden by it: the directory is empty or missing. Doing it again changes nothing.
     *
     * @param server address of that guest
     * @param client address of this guest
     * @return as {@link #serve}
     * @throws org.vse.failure.VseException as {@link GuestControl#exec}
     */
    public static GuestResult mount(
            GuestControl guest, String server, String client, String directory, Duration timeout) {
        GuestMount.Nfs mount = new GuestMount.Nfs(server, client, "/", directory, List.of());
        List<String> arguments = List.of(
                "vse-import",
                mount.type(),
                mount.options(),
                mount.source(),
                mount.target(),
                Long.toString(Math.max(1, timeout.toSeconds() / 2)));
        return GuestShell.run(guest, GuestScripts.IMPORT, arguments, new byte[0], timeout, MAX_OUTPUT_BYTES);
    }
}
