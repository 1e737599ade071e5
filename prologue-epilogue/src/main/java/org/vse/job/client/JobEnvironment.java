package org.vse.job.client;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What of the caller's environment a job gets: everything, as with {@code qsub -V} and {@code sbatch}, except what speaks of
 * this host and this session and would mislead or break a program in another machine.
 *
 * <p>Left out: the dynamic linker's {@code LD_*}; sockets and descriptors of the session (ssh, X11, Wayland, D-Bus, tmux,
 * screen, systemd); this host's name and temporary directories; the shell's own bookkeeping; {@code VSE_*}, which
 * configure this command and are set anew for the job.
 */
public final class JobEnvironment {
    private static final Set<String> LEFT_OUT = Set.of(
            "_",
            "DBUS_SESSION_BUS_ADDRESS",
            "DISPLAY",
            "GPG_AGENT_INFO",
            "HOSTNAME",
            "INVOCATION_ID",
            "JOURNAL_STREAM",
            "LISTEN_FDNAMES",
            "LISTEN_FDS",
            "LISTEN_PID",
            "NOTIFY_SOCKET",
            "OLDPWD",
            "SHLVL",
            "SSH_AUTH_SOCK",
            "SSH_CLIENT",
            "SSH_CONNECTION",
            "SSH_TTY",
            "STY",
            "TEMP",
            "TMP",
            "TMPDIR",
            "TMUX",
            "TMUX_PANE",
            "WAYLAND_DISPLAY",
            "WINDOW",
            "WINDOWID",
            "XAUTHORITY");
    private static final List<String> LEFT_OUT_BEGINNINGS =
            List.of("LD_", "VSE_", "XDG_RUNTIME_", "XDG_SEAT", "XDG_SESSION_", "XDG_VTNR");
    private static final Set<String> OF_THE_CALLER = Set.of("HOME", "LOGNAME", "MAIL", "SHELL", "USER");

    private JobEnvironment() {}

    /** @param otherUser the job runs as somebody else, who brings their own home and shell */
    public static Map<String, String> of(Map<String, String> environment, boolean otherUser) {
        Map<String, String> kept = new TreeMap<>(environment);
        kept.keySet()
                .removeIf(name -> LEFT_OUT.contains(name)
                        || LEFT_OUT_BEGINNINGS.stream().anyMatch(name::startsWith)
                        || (otherUser && OF_THE_CALLER.contains(name)));
        return kept;
    }
}
