package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Retag;
import org.vse.job.Standing;
import org.vse.process.CommandRunner;

class ImageOnDemandTest {
    @TempDir
    Path dir;

    @Test
    void anOrdinaryUserIsGivenTheCommandForRoot() throws IOException {
        Path recipe = Files.writeString(dir.resolve("debian-12.yaml"), "name: debian-12\n");
        List<String> said = new ArrayList<>();
        ImageOnDemand images = new ImageOnDemand(
                new ImageStore(dir.resolve("store")),
                dir.resolve("vsed.yaml"),
                dir,
                Standing.ORDINARY,
                new Self(List.of("/opt/vse/vse")),
                new CommandRunner(),
                said::add);
        for (Runnable attempt :
                List.<Runnable>of(() -> images.ensure("debian-12:latest"), () -> images.build(recipe, Retag.REFUSE))) {
            VseException refusal = catchThrowableOfType(VseException.class, attempt::run);
            assertThat(refusal.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
            assertThat(refusal.render()).contains("'debian-12' is not here", "sudo /opt/vse/vse image build " + recipe);
        }
        images.ensure("no-recipe");
        assertThat(said).isEmpty();
        assertThat(dir.resolve("store")).doesNotExist();
    }
}
