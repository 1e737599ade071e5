package org.vse.imagestore.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestTreeTest {
    @TempDir
    Path root;

    private Path file(String path) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.resolveSibling(""));
        return Files.writeString(file, "");
    }

    @Test
    void whatIsExcludedGoesAsIfItHadNeverBeenUnpacked() throws IOException {
        Path deep = file("usr/share/doc/a/b/c");
        Path library = file("usr/lib/libX11.so.6");
        Path other = file("usr/lib/libxml.so");
        Path link = Files.createSymbolicLink(root.resolve("usr/lib/libX.so"), Path.of("libX11.so.6"));
        new GuestTree(root).exclude(List.of("/usr/share/doc/*", "/usr/lib/libX*", "/none/*"));
        assertThat(deep).doesNotExist();
        assertThat(root.resolve("usr/share/doc")).isEmptyDirectory();
        assertThat(library).doesNotExist();
        assertThat(Files.isSymbolicLink(link)).isFalse();
        assertThat(other).exists();
    }

    @Test
    void aDirectoryWithSomethingElseInItStays() throws IOException {
        Path kept = file("opt/x.d/kept");
        Path gone = file("opt/x.d/gone.x.d");
        new GuestTree(root).exclude(List.of("/opt/*x.d"));
        assertThat(kept).exists();
        assertThat(gone).doesNotExist();
    }
}
