package org.vse.imagestore;

import java.util.Optional;
import org.vse.failure.VseException;

/**
 * Where images come from: another store, or a daemon that has one. A source is not trusted: what it sends is compared with
 * the image's digest by whoever asks for it, piece by piece.
 *
 * <p>Calls may block; whoever calls sets a bound. They may come from any thread.
 */
public interface ImageSource {
    /** For messages: a path or an address. */
    String name();

    /**
     * The digest of the image that a tag points to there, empty when there is none.
     *
     * @param tagged {@code NAME:TAG}
     * @throws VseException IMAGE_SOURCE_FAILED
     */
    Optional<String> digest(String tagged);

    /**
     * The bytes of a manifest, at most 2 MiB.
     *
     * @throws VseException IMAGE_UNKNOWN when the source does not have the image, IMAGE_SOURCE_FAILED
     */
    byte[] manifest(String digest);

    /**
     * A piece of a file, as many bytes as the file has there, none beyond its end.
     *
     * @throws VseException IMAGE_UNKNOWN when the source does not have the image, IMAGE_SOURCE_FAILED
     */
    byte[] piece(Piece piece);

    /**
     * {@link ChunkDigests#CHUNK_BYTES} of a file, or what is left of it.
     *
     * @param image digest
     * @param file {@code disk.qcow2}, {@code kernels/NAME/kernel} or {@code kernels/NAME/initrd}
     * @param index counts from 0
     */
    record Piece(String image, String file, int index) {
        public Piece {
            if (!ImageStore.DIGESTED.matcher(image).matches()
                    || !file.matches("disk\\.qcow2|kernels/" + Manifest.NAME.pattern() + "/(kernel|initrd)")
                    || index < 0) {
                throw new IllegalArgumentException("not a piece of an image: " + image + " " + file + " " + index);
            }
        }

        /** Where it begins, bytes. */
        public long offset() {
            return (long) index * ChunkDigests.CHUNK_BYTES;
        }

        @Override
        public String toString() {
            return file + " at " + offset();
        }
    }
}
