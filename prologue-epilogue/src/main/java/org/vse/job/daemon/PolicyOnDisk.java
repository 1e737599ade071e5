package org.vse.job.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.ScriptText;
import org.vse.policy.layer.Policy;

/**
 * The file of a node's policy.
 *
 * @param file absolute
 * @param isNamed whether vsed.yaml names it; then it has to be there
 */
public record PolicyOnDisk(Path file, boolean isNamed) {
    private static final int MOST_BYTES = (1 << 20) + 1;

    /**
     * The file of a node: what vsed.yaml says, else policy.yaml beside it.
     *
     * @param config directory of vsed.yaml
     * @throws VseException CONFIG_INVALID when vsed would refuse its file
     */
    public static PolicyOnDisk of(Path config) {
        return NodeSettings.read(config.resolve("vsed.yaml"))
                .policy()
                .map(file -> new PolicyOnDisk(file, true))
                .orElseGet(() -> new PolicyOnDisk(config.resolve("policy.yaml"), false));
    }

    /**
     * What it says now. Where there is no file and none is named, that is the vendor's policy.
     *
     * @throws VseException POLICY_INVALID with what is wrong and where
     */
    public Policy read() {
        if (!isNamed && !Files.exists(file)) {
            return Policy.vendor();
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Policy.site(file.toString(), text(in.readNBytes(MOST_BYTES)));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.POLICY_INVALID, "the policy cannot be read")
                    .at(file.toString())
                    .fact("reason", e.getClass().getSimpleName())
                    .next("write the file, or correct 'policy' in vsed.yaml")
                    .because(e);
        }
    }

    private String text(byte[] bytes) {
        try {
            return ScriptText.utf8(file.toString(), bytes);
        } catch (VseException e) {
            VseException invalid = VseException.of(ErrorCode.POLICY_INVALID, e.what());
            throw invalid.at(e.where() == null ? file.toString() : e.where());
        }
    }
}
