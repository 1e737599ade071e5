package org.vse.policy;

import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** Values that are allowed one by one but not together. */
final class Conflicts {
    private Conflicts() {}

    static void find(Settings settings, Problems problems) {
        mounts(settings, problems);
        checkpoint(settings, problems);
        var network = settings.get(DirectiveKey.NETWORK)
                .filter(s -> s.text().equals(Network.USER.word()))
                .orElse(null);
        if (network == null) {
            return;
        }
        settings.get(DirectiveKey.VMS_PER_NODE)
                .filter(s -> Integer.parseInt(s.text()) > 1)
                .ifPresent(s -> problems.add(
                        later(network, s),
                        conflict(network, s, "a user network joins no VMs")
                                .next("remove network=user, or ask for one VM")));
        settings.get(DirectiveKey.SHARE)
                .filter(s -> s.text().equals(Share.NFS.word()))
                .ifPresent(s -> problems.add(
                        later(network, s),
                        conflict(network, s, "NFS needs the job's own network")
                                .next("write share=9p, or remove network=user")));
    }

    private static void mounts(Settings settings, Problems problems) {
        Optional<Setting> mounts = settings.get(DirectiveKey.MOUNTS);
        Optional<Setting> other = settings.get(DirectiveKey.SHARE)
                .filter(s -> !s.text().equals(Share.NFS.word()))
                .or(() ->
                        settings.get(DirectiveKey.NETWORK).filter(s -> s.text().equals(Network.USER.word())));
        if (mounts.isPresent() && other.isPresent()) {
            problems.add(
                    later(mounts.get(), other.get()),
                    conflict(mounts.get(), other.get(), "further directories come by the job's NFS server")
                            .next("remove mounts, or write share=nfs network=job"));
        }
    }

    /** QEMU refuses to save a machine with a directory by 9p or with a device of the host. */
    private static void checkpoint(Settings settings, Problems problems) {
        Optional<Setting> saved = settings.get(DirectiveKey.ON_WALLTIME)
                .filter(s -> s.text().equals(OnWalltime.CHECKPOINT.word()))
                .or(() -> settings.get(DirectiveKey.CHECKPOINT_EVERY));
        Optional<Setting> share = settings.get(DirectiveKey.SHARE);
        Optional<Setting> byNineP = share.isPresent()
                ? share.filter(s -> s.text().equals(Share.P9.word()))
                : settings.get(DirectiveKey.NETWORK).filter(s -> s.text().equals(Network.USER.word()));
        if (saved.isEmpty()) {
            return;
        }
        byNineP.ifPresent(s -> problems.add(
                later(saved.get(), s),
                conflict(saved.get(), s, "VMs with directories by 9p cannot be saved")
                        .next("write share=nfs or share=none")));
        settings.get(DirectiveKey.HOSTDEV)
                .ifPresent(s -> problems.add(
                        later(saved.get(), s),
                        conflict(saved.get(), s, "VMs with devices of the node cannot be saved")
                                .next("leave one of them out")));
    }

    /** Two values and why they cannot be had together; both with their positions as facts. */
    private static VseException conflict(Setting one, Setting other, String why) {
        boolean ordered = one.position().compareTo(other.position()) <= 0;
        Setting first = ordered ? one : other;
        Setting second = ordered ? other : one;
        String what = "'" + written(second) + "' contradicts '" + written(first) + "': " + why;
        return VseException.of(ErrorCode.DIRECTIVE_CONFLICT, what)
                .fact("first", "'" + written(first) + "' at " + first.position())
                .fact("second", "'" + written(second) + "' at " + second.position());
    }

    private static SourcePosition later(Setting one, Setting other) {
        return one.position().compareTo(other.position()) > 0 ? one.position() : other.position();
    }

    private static String written(Setting setting) {
        return setting.key() + "=" + setting.text();
    }
}
