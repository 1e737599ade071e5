package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class CurrentPolicyTest {
    @TempDir
    Path dir;

    private Path write(String text) throws IOException {
        Path part = Files.writeString(dir.resolve("part"), text);
        return Files.move(part, dir.resolve("policy.yaml"), StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void withoutAFileTheVendorsPolicyIsInForceUntilThereIsOne() throws IOException {
        CurrentPolicy policy = new CurrentPolicy(PolicyOnDisk.of(dir));
        assertThat(policy.get().queues()).containsExactly("local");
        write("queues: { batch: }");
        assertThat(policy.get().queues()).containsExactly("batch");
    }

    @Test
    void aBrokenOrMissingNewFileKeepsTheOldPolicy() throws IOException {
        Path file = write("queues: { batch: }");
        CurrentPolicy policy = new CurrentPolicy(PolicyOnDisk.of(dir));
        write("queues: { batch: { limts: {} } }");
        assertThat(policy.get().queues()).containsExactly("batch");
        Files.delete(file);
        assertThat(policy.get().queues()).containsExactly("batch");
        write("queues: { batch: , night: }");
        assertThat(policy.get().queues()).containsExactly("batch", "night");
    }

    @Test
    void aDaemonDoesNotStartWithABrokenPolicyOrWithoutTheOneThatItsConfigurationNames() throws IOException {
        write("queue: {}");
        assertThatThrownBy(() -> new CurrentPolicy(PolicyOnDisk.of(dir)))
                .isInstanceOfSatisfying(VseException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID);
                    assertThat(e.where()).isEqualTo(dir.resolve("policy.yaml") + ":1:1");
                });
        Files.writeString(dir.resolve("vsed.yaml"), "policy: " + dir.resolve("none.yaml") + "\n");
        assertThatThrownBy(() -> new CurrentPolicy(PolicyOnDisk.of(dir)))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID));
        Files.writeString(dir.resolve("vsed.yaml"), "policy: here.yaml\n");
        assertThatThrownBy(() -> PolicyOnDisk.of(dir))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG_INVALID));
    }
}
