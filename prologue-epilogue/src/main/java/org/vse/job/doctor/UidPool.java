package org.vse.job.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.job.daemon.NodeSettings;
import org.vse.process.CommandResult;

/** The uids of machines belong to nobody else: no account, no range for containers, and this user namespace has them. */
final class UidPool implements Check {
    @Override
    public String name() {
        return "uid-pool";
    }

    @Override
    public Finding look(Host host) {
        NodeSettings settings = Configuration.settings(host);
        long first = settings.firstQemuUid();
        long last = first + settings.qemuUids() - 1;
        String pool = first + "-" + last;
        String mend = "set first-qemu-uid in " + host.config().resolve("vsed.yaml") + " to a free range";
        Optional<CommandResult> accounts = host.run("getent", "passwd");
        if (accounts.isEmpty()) {
            return Finding.failed("there is no getent to ask for accounts", "apt-get install libc-bin");
        }
        // A directory service may answer for single accounts only; its ends are asked for.
        List<String> taken = new ArrayList<>();
        String lines = accounts.get().stdout() + one(host, first) + one(host, last);
        for (String line : lines.lines().distinct().toList()) {
            String[] fields = line.split(":", -1);
            if (fields.length > 2 && inside(fields[2], 1, first, last)) {
                taken.add(fields[0] + " (" + fields[2] + ")");
            }
        }
        if (!taken.isEmpty()) {
            return Finding.failed("accounts in the pool " + pool + ": " + String.join(", ", taken), mend);
        }
        if (!mapped(host, first, last)) {
            return Finding.failed("this user namespace does not have all of " + pool, mend);
        }
        for (String line : host.text("/etc/subuid").orElse("").lines().toList()) {
            String[] fields = line.strip().split(":", -1);
            if (fields.length == 3
                    && fields[2].matches("\\d{1,10}")
                    && inside(fields[1], Long.parseLong(fields[2]), first, last)) {
                return Finding.warning("/etc/subuid gives a part of the pool " + pool + " to " + fields[0], mend);
            }
        }
        return Finding.ok(pool + " belongs to nobody else");
    }

    private static String one(Host host, long uid) {
        return host.run("getent", "passwd", Long.toString(uid))
                .map(result -> "\n" + result.stdout())
                .orElse("");
    }

    private static boolean inside(String from, long count, long first, long last) {
        if (!from.matches("\\d{1,10}")) {
            return false;
        }
        long begin = Long.parseLong(from);
        return begin <= last && begin + count - 1 >= first;
    }

    /** user_namespaces(7): lines of first id inside, first id outside, number of ids. */
    private static boolean mapped(Host host, long first, long last) {
        return host.text("/proc/self/uid_map")
                .orElse("")
                .lines()
                .map(String::strip)
                .anyMatch(line -> {
                    String[] fields = line.split("\\s+");
                    long inside = Long.parseLong(fields[0]);
                    return inside <= first && last < inside + Long.parseLong(fields[2]);
                });
    }
}
