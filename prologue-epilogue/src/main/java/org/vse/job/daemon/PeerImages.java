package org.vse.job.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageSource;

/**
 * The images of this node for the daemons of others. Everybody on a node may read its image store, and so may every node of
 * the site. So many pieces are in memory at a time; who comes beyond that waits for a turn, and is refused when there are too
 * many of those or the turn does not come in time.
 */
final class PeerImages {
    /** Of 4 MiB each, and a copy on its way through TLS. */
    private static final int TURNS = 16;

    /** Each waits on a thread of its own, of which the other calls of nodes need some. */
    private static final int PLACES = 256;

    /** Less than a node waits for a piece. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ImageSource images;
    private final Semaphore turns;
    private final Semaphore places;
    private final Duration patience;

    PeerImages(ImageSource images) {
        this(images, TURNS, PLACES, PATIENCE);
    }

    /**
     * With other bounds.
     *
     * @param turns pieces that are read and sent at a time
     * @param places calls that have a turn or wait for one
     * @param patience until a turn comes
     */
    PeerImages(ImageSource images, int turns, int places, Duration patience) {
        this.images = images;
        this.turns = new Semaphore(turns, true);
        this.places = new Semaphore(places);
        this.patience = patience;
    }

    /** Answers a call below {@code /v1/images}. */
    void answer(Call call) throws IOException {
        String image = call.query().getOrDefault("image", "");
        switch (call.path().size() > 2 ? call.path().get(2) : "") {
            case "" -> {
                Optional<String> digest = images.digest(call.query().getOrDefault("tag", ""));
                call.reply().json(200, digest.map(d -> Map.of("digest", d)).orElse(Map.of()));
            }
            case "manifest" -> inTurn(() -> send(call, images.manifest(image)));
            case "piece" -> {
                ImageSource.Piece piece = piece(image, call);
                inTurn(() -> send(call, images.piece(piece)));
            }
            default -> throw call.unknown();
        }
    }

    /** What a turn is for. */
    @FunctionalInterface
    private interface Transfer {
        void run() throws IOException;
    }

    /** @throws VseException DAEMON_BUSY when there is no place, or no turn in time */
    private void inTurn(Transfer transfer) throws IOException {
        if (!places.tryAcquire()) {
            throw busy();
        }
        try {
            if (!turns.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw busy();
            }
            try {
                transfer.run();
            } finally {
                turns.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the daemon is ending")
                    .because(e);
        } finally {
            places.release();
        }
    }

    private static VseException busy() {
        return VseException.of(ErrorCode.DAEMON_BUSY, "too many nodes fetch images from this one")
                .next("try again: what has arrived is kept");
    }

    private static ImageSource.Piece piece(String image, Call call) {
        try {
            return new ImageSource.Piece(
                    image, call.query().getOrDefault("file", ""), Math.toIntExact(call.number("index", 0)));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw VseException.of(ErrorCode.USAGE, "not a piece of an image").because(e);
        }
    }

    private static void send(Call call, byte[] bytes) throws IOException {
        try (Reply.Body body = call.reply().stream("application/octet-stream")) {
            body.write(ByteBuffer.wrap(bytes));
        }
    }
}
