package org.vse.job.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageSource;

/**
 * The images of this node for the daemons of others. Everybody on a node may read its image store, and so may every node of
 * the site.
 */
final class PeerImages {
    private final ImageSource images;

    PeerImages(ImageSource images) {
        this.images = images;
    }

    /** Answers a call below {@code /v1/images}. */
    void answer(Call call) throws IOException {
        String image = call.query().getOrDefault("image", "");
        switch (call.path().size() > 2 ? call.path().get(2) : "") {
            case "" -> {
                Optional<String> digest = images.digest(call.query().getOrDefault("tag", ""));
                call.reply().json(200, digest.map(d -> Map.of("digest", d)).orElse(Map.of()));
            }
            case "manifest" -> send(call, images.manifest(image));
            case "piece" -> send(call, images.piece(piece(image, call)));
            default -> throw call.unknown();
        }
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
