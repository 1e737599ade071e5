package org.vse.provisioner.share;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GaneshaConfigTest {
    private static final NfsShare SHARE = new NfsShare(
            "ns",
            "10.77.255.254",
            1000,
            100,
            List.of(100),
            List.of(Path.of("/home/a")),
            List.of(new NfsShare.Mount(Path.of("/scratch"), false)));

    private static String config(boolean deviceless) {
        return GaneshaConfig.of(
                SHARE,
                List.of(
                        new GaneshaConfig.Root(Path.of("/share/export-0"), deviceless),
                        new GaneshaConfig.Root(Path.of("/share/export-1"), false)),
                Path.of("/share/recovery"),
                false);
    }

    @Test
    void theServerIsTheUserAndSoIsEveryRequest() {
        assertThat(config(false))
                .contains("only_one_user = true;", "Squash = All_Squash;", "Anonymous_Uid = 1000;")
                .contains("Anonymous_Gid = 100;");
    }

    @Test
    void handlesLeaveTheDeviceOutWhereTheyAreToldTo() {
        assertThat(config(false)).doesNotContain("fsid_type");
        assertThat(config(true)).containsOnlyOnce("fsid_type = Major64;").containsSubsequence("export-0", "Major64");
    }

    @Test
    void whatIsOnlyReadIsExportedSo() {
        assertThat(config(false)).containsSubsequence("export-0", "RW", "export-1", "RO");
    }

    @Test
    void mountsHaveTheFormOfFstab() {
        assertThat(GaneshaConfig.mounts(List.of(
                        new GaneshaConfig.Root(Path.of("/share/export-0"), false),
                        new GaneshaConfig.Root(Path.of("/a share/export-1"), true))))
                .isEqualTo("""
                        vse /share/export-0 vse rw 0 0
                        vse /a\\040share/export-1 vse rw 0 0
                        """);
    }
}
