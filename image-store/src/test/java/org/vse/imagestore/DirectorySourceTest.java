package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class DirectorySourceTest extends ImageSourceContract {
    @Override
    protected ImageSource source(ImageStore store) {
        return new DirectorySource(store.root());
    }

    @Test
    void linksAreNotFollowed() throws IOException {
        Files.delete(image.disk());
        Files.createSymbolicLink(image.disk(), Files.writeString(temp.resolve("secret"), "secret"));
        VseException e = catchThrowableOfType(
                VseException.class, () -> source(there).piece(new ImageSource.Piece(image.digest(), "disk.qcow2", 0)));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
    }
}
