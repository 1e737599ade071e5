package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

class SettingsTest {
    private static Setting setting(DirectiveKey key, String text, String file) {
        return new Setting(key, text, new SourcePosition(file, 1, 1));
    }

    @Test
    void aLayerOverridesTheLowerOneAndEachValueKeepsItsPlace() {
        Settings site = Settings.of(List.of(
                setting(DirectiveKey.IMAGE, "site", "site.yaml"), setting(DirectiveKey.MEMORY, "1GiB", "site.yaml")));
        Settings script = JobScript.parse("job.sh", "#VSE image=mine vcpus=2").settings();
        JobDescription job = JobDescription.of(script.over(site).over(Settings.NONE));
        assertThat(job.image()).hasToString("mine");
        assertThat(job.memoryBytes()).isEqualTo(ByteSize.GIB);
        assertThat(job.provenance())
                .containsEntry(DirectiveKey.IMAGE, new SourcePosition("job.sh", 1, 12))
                .containsEntry(DirectiveKey.MEMORY, new SourcePosition("site.yaml", 1, 1));
    }

    @Test
    void theImageMayComeFromALowerLayer() {
        JobScript script = JobScript.parse("job.sh", "#VSE vcpus=2");
        assertThat(script.isVse()).isTrue();
        Settings lower = Settings.of(List.of(setting(DirectiveKey.IMAGE, "a", "--image")));
        assertThat(JobDescription.of(script.settings().over(lower)).image()).hasToString("a");
    }

    @Test
    void layersThatContradictEachOtherAreRefused() {
        Settings lower = Settings.of(List.of(setting(DirectiveKey.NETWORK, "user", "site.yaml")));
        Settings script = JobScript.parse("job.sh", "#VSE image=a share=nfs").settings();
        VseException error = catchThrowableOfType(VseException.class, () -> JobDescription.of(script.over(lower)));
        assertThat(error.code()).isEqualTo(ErrorCode.DIRECTIVE_CONFLICT);
        assertThat(error.facts().values()).contains("'share=nfs' at job.sh:1:20", "'network=user' at site.yaml:1:1");
    }

    @Test
    void oneLayerSaysEachThingOnce() {
        assertThatThrownBy(() -> Settings.of(List.of(
                        setting(DirectiveKey.VCPUS, "1", "a.yaml"), setting(DirectiveKey.VCPUS, "2", "b.yaml"))))
                .isInstanceOfSatisfying(VseException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.DIRECTIVE_DUPLICATE);
                    assertThat(e.where()).isEqualTo("b.yaml:1:1");
                });
    }

    @Test
    void aSettingIsCheckedWhereverItComesFrom() {
        assertThatThrownBy(() -> setting(DirectiveKey.IMAGE, "/a.qcow2", "--image"))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.where()).isEqualTo("--image:1:1"));
    }

    @Test
    void nothingIsNotADescription() {
        assertThatThrownBy(() -> JobDescription.of(Settings.NONE))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DIRECTIVE_IMAGE_MISSING));
    }
}
