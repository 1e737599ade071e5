package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadySocketTest {
    @TempDir
    Path directory;

    @Test
    void givesUpWhenTheTimeIsOver() throws IOException {
        try (ReadySocket socket = ReadySocket.bind(directory.resolve("ready"))) {
            assertThat(socket.await(Duration.ofMillis(20))).isFalse();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void givesUpWhenAbandonedFromAnotherThread() throws Exception {
        try (ReadySocket socket = ReadySocket.bind(directory.resolve("ready"))) {
            CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    return socket.await(Duration.ofMinutes(1));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            socket.abandon();
            assertThat(waiting.get(10, TimeUnit.SECONDS)).isFalse();
        }
    }

    @Test
    void aStaleSocketIsReplaced() throws IOException {
        Path path = directory.resolve("ready");
        ReadySocket stale = ReadySocket.bind(path);
        try (ReadySocket fresh = ReadySocket.bind(path)) {
            assertThat(fresh.await(Duration.ofMillis(1))).isFalse();
        }
        stale.close();
    }

    @Test
    void aPathTooLongForTheKernelIsAnError() {
        assertThatThrownBy(() -> ReadySocket.bind(directory.resolve("x".repeat(120))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("errno");
    }
}
