package org.vse.imagestore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** A store's directory, on a file system that this node sees too. Only read; links in it are not followed. */
public final class DirectorySource implements ImageSource {
    private final Path root;
    private final ImageDirectories directories;
    private final ImageTags tags;

    public DirectorySource(Path root) {
        this.root = root.toAbsolutePath().normalize();
        this.directories = new ImageDirectories(this.root);
        this.tags = new ImageTags(this.root, new StoreFiles(this.root));
    }

    @Override
    public String name() {
        return root.toString();
    }

    @Override
    public Optional<String> digest(String tagged) {
        try {
            requireThere();
            return ImageStore.TAGGED.matcher(tagged).matches() ? tags.read(tagged) : Optional.empty();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public byte[] manifest(String digest) {
        try {
            requireThere();
            if (!ImageStore.DIGESTED.matcher(digest).matches() || !directories.has(digest)) {
                throw unknown(digest);
            }
            return StoreFiles.readSmall(directories.of(digest).resolve("manifest.yaml"), Manifest.MAX_BYTES)
                    .map(text -> text.getBytes(StandardCharsets.UTF_8))
                    .orElseThrow(() -> unknown(digest));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public byte[] piece(Piece piece) {
        Path file = directories.of(piece.image()).resolve(piece.file());
        try (SeekableByteChannel in =
                Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            in.position(piece.offset());
            ByteBuffer bytes = ByteBuffer.allocate(
                    (int) Math.max(0, Math.min(ChunkDigests.CHUNK_BYTES, in.size() - piece.offset())));
            while (bytes.hasRemaining() && in.read(bytes) >= 0) {}
            byte[] read = new byte[bytes.position()];
            bytes.flip().get(read);
            return read;
        } catch (NoSuchFileException e) {
            throw unknown(piece.image()).because(e);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void requireThere() throws IOException {
        if (!Files.isDirectory(root)) {
            throw new IOException("there is no directory " + root);
        }
    }

    private VseException unknown(String digest) {
        return VseException.of(ErrorCode.IMAGE_UNKNOWN, "image source '" + root + "' has no image '" + digest + "'")
                .next("vse image ls");
    }

    private VseException failed(IOException e) {
        return VseException.of(ErrorCode.IMAGE_SOURCE_FAILED, "image source '" + root + "' cannot be read")
                .fact("reason", e)
                .because(e);
    }
}
