package org.vse.job.daemon;

import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobDescription;
import org.vse.policy.Network;
import org.vse.policy.Setting;
import org.vse.policy.Settings;
import org.vse.policy.Share;
import org.vse.scheduler.ResourceRequest;
import org.vse.scheduler.ResourceRequest.Resource;

/**
 * What a job means to a daemon that is not root: one machine with a user-mode network and 9p, where nothing is said. What was
 * asked for and takes root is refused, never replaced by something else.
 */
final class OrdinaryJob {
    /** Told at every start, because the same script may mean more elsewhere. */
    static final String NOTICE =
            "this vsed is yours, not root's: no checkpoint, no job network (so no vse vm ssh), no share=nfs, "
                    + "one machine a job; an administrator's 'sudo vse up' has them all";

    private static final String INSTEAD = "let root run vsed ('sudo vse up'), which every user of the node then uses";

    private static final Settings DEFAULTS = Settings.of(List.of(new Setting(
            DirectiveKey.NETWORK, Network.USER.word(), new SourcePosition("an ordinary user's vsed", 1, 1))));

    private OrdinaryJob() {}

    /**
     * The description with the defaults of an ordinary user.
     *
     * @param settings of all layers
     * @throws VseException SHARE_UNSUPPORTED or NOT_PERMITTED at what takes root; else as {@link JobDescription#of}
     */
    static JobDescription description(Settings settings) {
        settings.get(DirectiveKey.SHARE)
                .filter(setting -> setting.text().equals(Share.NFS.word()))
                .ifPresent(setting -> {
                    throw refusal(
                            ErrorCode.SHARE_UNSUPPORTED,
                            setting,
                            "the share server runs in a network namespace that root makes",
                            "write share=9p or nothing");
                });
        settings.get(DirectiveKey.NETWORK)
                .filter(setting -> setting.text().equals(Network.JOB.word()))
                .ifPresent(setting -> {
                    throw refusal(
                            ErrorCode.NOT_PERMITTED,
                            setting,
                            "the network of a job is made of namespaces, a bridge and taps of the host",
                            "write network=user or nothing");
                });
        settings.get(DirectiveKey.HOSTDEV).ifPresent(setting -> {
            throw refusal(
                    ErrorCode.NOT_PERMITTED, setting, "only root takes a device from its driver", "leave hostdev out");
        });
        for (DirectiveKey key : List.of(DirectiveKey.PACKAGES, DirectiveKey.FILES, DirectiveKey.RUN)) {
            settings.get(key).ifPresent(setting -> {
                throw refusal(
                        ErrorCode.NOT_PERMITTED,
                        setting,
                        "the files of an image belong to root, also of one that is made for a job",
                        "leave " + key + " out");
            });
        }
        settings.get(DirectiveKey.VMS_PER_NODE)
                .filter(setting -> Integer.parseInt(setting.text()) > 1)
                .ifPresent(setting -> {
                    throw refusal(
                            ErrorCode.NOT_PERMITTED,
                            setting,
                            "several machines are joined by a network that root makes",
                            "ask for one machine");
                });
        return JobDescription.of(settings.over(DEFAULTS));
    }

    /** @throws VseException NOT_PERMITTED when the script asks for several nodes, each of which would be a machine */
    static void requireOneNode(ResourceRequest request) {
        if (request.nodes() > 1) {
            VseException refusal = VseException.of(
                            ErrorCode.NOT_PERMITTED,
                            "nodes=" + request.nodes() + " takes root, and this vsed is not root's")
                    .fact("reason", "several machines are joined by a network that root makes")
                    .next("ask for one node, or " + INSTEAD);
            SourcePosition asked = request.provenance().get(Resource.NODES);
            throw asked == null ? refusal : refusal.at(asked.toString());
        }
    }

    private static VseException refusal(ErrorCode code, Setting setting, String reason, String otherwise) {
        return VseException.of(
                        code,
                        "'" + setting.key().word() + "=" + setting.text() + "' takes root, and this vsed is not root's")
                .at(setting.position().toString())
                .fact("reason", reason)
                .next(otherwise + ", or " + INSTEAD);
    }
}
