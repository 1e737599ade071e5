package org.vse.imagestore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Brings images from sources into a store, one after the other, piece by piece. Every piece is compared with its digest when
 * it arrives; one that is wrong is asked for at the next source. What has arrived stays when a transfer is cut, also by the
 * death of its process, and the next one goes on from there. Whoever asks for an image that is being brought, in this process
 * or in another, waits for it instead of bringing it again.
 */
public final class ImageTransfer {
    /** Longer kernels and initial file systems are refused: 256 MiB. */
    static final int MAX_KERNEL_PIECES = 64;

    /** Free bytes that are left beside what arrives. */
    static final long SLACK = 64L << 20;

    private final ImageStore store;
    private final List<ImageSource> sources;
    private final Duration patience;
    private final LongSupplier freeBytes;
    private final Arrivals arrivals;

    /** Hears of every piece once it is on the disk and known to be right: whoever passes images on begins there. */
    @FunctionalInterface
    public interface Arrivals {
        /**
         * A piece is there.
         *
         * @param file that holds it, at its offset; it moves when the image is complete
         */
        void arrived(ImageSource.Piece piece, Path file);
    }

    /**
     * Takes where from and where to.
     *
     * @param sources in order of preference
     * @param patience how long a source may take for one answer
     */
    public ImageTransfer(ImageStore store, List<ImageSource> sources, Duration patience) {
        this(store, sources, patience, () -> store.root().toFile().getUsableSpace(), (piece, file) -> {});
    }

    ImageTransfer(
            ImageStore store, List<ImageSource> sources, Duration patience, LongSupplier freeBytes, Arrivals arrivals) {
        this.store = store;
        this.sources = List.copyOf(sources);
        this.patience = patience;
        this.freeBytes = freeBytes;
        this.arrivals = arrivals;
    }

    /** The same with somebody who hears of every piece. */
    public ImageTransfer telling(Arrivals listener) {
        return new ImageTransfer(store, sources, patience, freeBytes, listener);
    }

    /**
     * The digest that a tag has at the first source that knows it.
     *
     * @param tagged {@code NAME:TAG}
     * @throws VseException IMAGE_SOURCE_FAILED when a source fails and no other knows the tag
     */
    public Optional<String> digest(String tagged) {
        @Nullable VseException failed = null;
        for (ImageSource source : sources) {
            try {
                Optional<String> digest = bounded(source, "tag " + tagged, () -> source.digest(tagged));
                if (digest.isPresent()) {
                    return digest;
                }
            } catch (VseException e) {
                failed = failed == null ? e : failed.because(e);
            }
        }
        if (failed != null) {
            throw failed;
        }
        return Optional.empty();
    }

    /**
     * What an image will be once it is here; its files need not exist yet.
     *
     * @throws VseException IMAGE_UNKNOWN when no source has it, IMAGE_SOURCE_FAILED
     */
    public Image announced(String digest, String name, String tag) {
        Manifest manifest = manifest(digest);
        return manifest.image(
                store.directories().of(digest), name, tag, new Origin(java.time.Instant.EPOCH, "announced"));
    }

    /**
     * Brings an image that the store does not have.
     *
     * @param room makes room for that many bytes before the first piece is asked for; throws when it cannot
     * @throws VseException IMAGE_UNKNOWN, IMAGE_SOURCE_FAILED, DISK_FULL before anything was brought or when the disk is
     *     full all the same, STORAGE_FAILED
     */
    public Image bring(String digest, LongConsumer room) {
        return bring(digest, room, () -> "");
    }

    /**
     * The same.
     *
     * @param before done under the store's lock immediately before the image appears in it
     */
    <T> Image bring(String digest, LongConsumer room, StoreLock.Work<T> before) {
        Manifest manifest = manifest(digest);
        return store.io(() -> {
            store.prepare();
            Path partial = store.root().resolve("partial").resolve(digest.replace(':', '-'));
            return StoreLock.holding(partial.resolveSibling(partial.getFileName() + ".lock"), () -> {
                if (!store.directories().has(digest)) {
                    room.accept(manifest.disk().bytes());
                    requireSpace(manifest, partial);
                    bring(manifest, partial);
                    String from = String.join(
                            ", ", sources.stream().map(ImageSource::name).toList());
                    ImageStore.prepare(
                            partial, manifest, new Origin(Clock.systemUTC().instant(), from));
                    store.locked(() -> {
                        before.run();
                        store.install(partial, manifest);
                        return digest;
                    });
                }
                return store.byDigest(digest).orElseThrow();
            });
        });
    }

    private Manifest manifest(String digest) {
        return fromAny(digest, source -> {
            byte[] bytes = bounded(source, "manifest of " + digest, () -> source.manifest(digest));
            if (bytes.length > Manifest.MAX_BYTES || !digest.equals("sha256:" + ChunkDigests.whole(bytes))) {
                throw wrong(source, "manifest of " + digest);
            }
            return Manifest.parse(bytes);
        });
    }

    private void requireSpace(Manifest manifest, Path partial) throws IOException {
        long there = Files.exists(partial) ? StoreUpkeep.bytes(partial) : 0;
        long needed = Math.max(0, manifest.disk().bytes() - there) + SLACK;
        long free = freeBytes.getAsLong();
        if (free < needed) {
            throw VseException.of(ErrorCode.DISK_FULL, "not enough space for image '" + manifest.digest() + "'")
                    .fact("path", store.root())
                    .fact("needed", (needed >> 20) + " MiB")
                    .fact("free", (free >> 20) + " MiB")
                    .next("vse image gc");
        }
    }

    private void bring(Manifest manifest, Path partial) throws IOException {
        Files.createDirectories(partial);
        Path disk = partial.resolve(NewImage.DISK);
        try (FileChannel out = open(disk)) {
            List<String> chunks = manifest.disk().chunks();
            for (int i = 0; i < chunks.size(); i++) {
                ImageSource.Piece piece = new ImageSource.Piece(manifest.digest(), NewImage.DISK, i);
                int length =
                        (int) Math.min(ChunkDigests.CHUNK_BYTES, manifest.disk().bytes() - piece.offset());
                if (!isThere(out, piece, length, chunks.get(i))) {
                    write(out, piece.offset(), piece(piece, length, chunks.get(i)));
                }
                arrivals.arrived(piece, disk);
            }
            out.truncate(manifest.disk().bytes());
        }
        for (Manifest.KernelFiles kernel : manifest.kernels()) {
            bringKernel(manifest, "kernels/" + kernel.name() + "/kernel", kernel.kernel(), partial);
            bringKernel(manifest, "kernels/" + kernel.name() + "/initrd", kernel.initrd(), partial);
        }
    }

    private void bringKernel(Manifest manifest, String name, String sha256, Path partial) throws IOException {
        Path file = partial.resolve(name);
        Files.createDirectories(file.resolveSibling(""));
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && ChunkDigests.whole(file).equals(sha256)) {
            return;
        }
        Path got = fromAny(manifest.digest(), source -> {
            try (FileChannel out = open(file)) {
                out.truncate(0);
                int index = 0;
                byte[] bytes;
                do {
                    ImageSource.Piece piece = new ImageSource.Piece(manifest.digest(), name, index++);
                    bytes = bounded(source, piece.toString(), () -> source.piece(piece));
                    if (index > MAX_KERNEL_PIECES || bytes.length > ChunkDigests.CHUNK_BYTES) {
                        throw wrong(source, name);
                    }
                    write(out, piece.offset(), bytes);
                } while (bytes.length == ChunkDigests.CHUNK_BYTES);
                if (!ChunkDigests.whole(file).equals(sha256)) {
                    throw wrong(source, name);
                }
                return file;
            } catch (IOException e) {
                throw StoreFiles.failed(store.root(), e);
            }
        });
        arrivals.arrived(new ImageSource.Piece(manifest.digest(), name, 0), got);
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS);
    }

    private static boolean isThere(FileChannel file, ImageSource.Piece piece, int length, String sha256)
            throws IOException {
        if (file.size() < piece.offset() + length) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining() && file.read(bytes, piece.offset() + bytes.position()) >= 0) {}
        return ChunkDigests.whole(bytes.array()).equals(sha256);
    }

    private static void write(FileChannel out, long offset, byte[] bytes) throws IOException {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        while (from.hasRemaining()) {
            long at = offset + from.position();
            if (out.write(from, at) < 0) {
                throw new IOException("nothing was written");
            }
        }
    }

    private byte[] piece(ImageSource.Piece piece, int length, String sha256) {
        return fromAny(piece.image(), source -> {
            byte[] bytes = bounded(source, piece.toString(), () -> source.piece(piece));
            if (bytes.length != length || !ChunkDigests.whole(bytes).equals(sha256)) {
                throw wrong(source, piece.toString())
                        .fact("expected", length + " bytes, sha256 " + sha256)
                        .fact("found", bytes.length + " bytes, sha256 " + ChunkDigests.whole(bytes));
            }
            return bytes;
        });
    }

    /** Asks a source something. */
    @FunctionalInterface
    private interface Question<T> {
        /** The answer. */
        T ask(ImageSource source);
    }

    private <T> T fromAny(String digest, Question<T> question) {
        @Nullable VseException failed = null;
        for (ImageSource source : sources) {
            try {
                return question.ask(source);
            } catch (VseException e) {
                boolean worse = failed == null || failed.code() == ErrorCode.IMAGE_UNKNOWN;
                if (e.code() != ErrorCode.IMAGE_SOURCE_FAILED && e.code() != ErrorCode.IMAGE_UNKNOWN) {
                    throw e;
                }
                failed = worse ? e : failed;
            }
        }
        throw failed != null
                ? failed
                : VseException.of(ErrorCode.IMAGE_UNKNOWN, "image '" + digest + "' is not here, and there is no source")
                        .next("vse image ls");
    }

    private <T> T bounded(ImageSource source, String what, Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "image-source");
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            thread.interrupt();
            throw failed(source, "did not send " + what + " within " + patience.toMillis() / 1e3 + " s")
                    .because(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof VseException known) {
                throw known;
            }
            throw failed(source, "failed to send " + what).because(e);
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while an image was fetched")
                    .because(e);
        }
    }

    private static VseException wrong(ImageSource source, String what) {
        return failed(source, "sent other bytes than the image's digest says: " + what);
    }

    private static VseException failed(ImageSource source, String what) {
        return VseException.of(ErrorCode.IMAGE_SOURCE_FAILED, "image source '" + source.name() + "' " + what)
                .next("try again: what has arrived is kept; for wrong bytes, vse image verify --all at the source");
    }
}
