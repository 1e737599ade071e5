package org.vse.job.daemon;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.DirectiveKey;
import org.vse.policy.HostMount;
import org.vse.policy.JobDescription;
import org.vse.policy.PlugIn;
import org.vse.policy.layer.Policy;
import org.vse.process.UserDirectory;

/** What a job adds to its VMs, as far as this node can tell before it starts anything: its directories and its plug-ins. */
final class AddedParts {
    /** Beside the site's policy: the programs of its plug-ins. */
    private static final String PROGRAMS = "plug-ins";

    /** No component is {@code .} or {@code ..}. */
    private static final Pattern DIRECTORY = Pattern.compile("(/(?![.]{1,2}(/|$))[A-Za-z0-9._@+-]+)+");

    private AddedParts() {}

    /**
     * The description with the programs of its plug-ins.
     *
     * @throws VseException SHARE_UNSUPPORTED for a directory that is not there, is not the user's to reach or is reached
     *     through a symbolic link; PLUG_IN_FAILED for a plug-in that is not there, or a directory that no head serves
     */
    static JobDescription settled(JobDescription description, JobRecord.User user, Policy policy) {
        List<Integer> gids = user.groups().stream().map(JobRecord.Group::gid).toList();
        for (HostMount mount : description.additions().mounts()) {
            Path path = Path.of(mount.path());
            try (UserDirectory opened = UserDirectory.open(path, user.uid(), user.gid(), gids)) {
                opened.requireIs(path);
                Admission.requireMountable(path);
            } catch (VseException refused) {
                throw at(refused, description, DirectiveKey.MOUNTS);
            }
        }
        Path programs = Path.of(policy.name()).resolveSibling(PROGRAMS);
        JobDescription settled = description.with(description.additions().withPrograms(programs));
        for (PlugIn plugIn : settled.additions().plugIns()) {
            if (!plugIn.program().isEmpty() && !Files.isExecutable(Path.of(plugIn.program()))) {
                throw at(
                        VseException.of(ErrorCode.PLUG_IN_FAILED, "there is no plug-in '" + plugIn.name() + "'")
                                .fact("built in", String.join(", ", PlugIn.BUILT_IN))
                                .fact("looked for", plugIn.program())
                                .next("ask an administrator for the program, or leave the plug-in out"),
                        description,
                        DirectiveKey.PLUG_INS);
            }
        }
        requireServable(settled);
        return settled;
    }

    /** A head serves one directory, which is none of the system's. */
    private static void requireServable(JobDescription description) {
        List<String> served = description.additions().plugIns().stream()
                .filter(plugIn -> plugIn.name().equals(PlugIn.NFS_SERVER))
                .map(PlugIn::argument)
                .toList();
        for (String directory : served) {
            boolean plain = DIRECTORY.matcher(directory).matches();
            if (!plain || served.size() > 1 || Admission.isGuestsOwn(Path.of(directory))) {
                String what = served.size() > 1
                        ? "a head serves one directory, not " + served.size()
                        : "'" + directory + "' is not a directory that a head can serve";
                throw at(
                        VseException.of(ErrorCode.PLUG_IN_FAILED, what)
                                .fact("expected", "an absolute path outside of the system's directories")
                                .next("write plug-ins=nfs-server:/scratch/shared"),
                        description,
                        DirectiveKey.PLUG_INS);
            }
        }
    }

    private static VseException at(VseException refused, JobDescription description, DirectiveKey key) {
        SourcePosition position = description.provenance().get(key);
        return position == null ? refused : refused.at(position.toString());
    }
}
