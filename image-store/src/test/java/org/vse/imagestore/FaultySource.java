package org.vse.imagestore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** A source that does what it is told to: passes another's answers on, stalls, is cut, or sends other bytes. */
final class FaultySource implements ImageSource {
    /** What goes wrong. */
    enum Fault {
        NONE,
        STALLS,
        IS_CUT,
        FLIPS_A_BIT,
        SENDS_TOO_MUCH,
        SENDS_TOO_LITTLE,
        THROWS
    }

    private final ImageSource behind;
    private final AtomicInteger left;
    private final Fault fault;
    private final List<Piece> asked = Collections.synchronizedList(new ArrayList<>());
    private volatile @Nullable Runnable beforePiece;

    /** @param good pieces that are answered before the fault shows */
    FaultySource(ImageSource behind, int good, Fault fault) {
        this.behind = behind;
        this.left = new AtomicInteger(good);
        this.fault = fault;
    }

    /** All pieces that were asked for. */
    List<Piece> asked() {
        return List.copyOf(asked);
    }

    FaultySource before(Runnable action) {
        beforePiece = action;
        return this;
    }

    @Override
    public String name() {
        return "faulty";
    }

    @Override
    public Optional<String> digest(String tagged) {
        return behind.digest(tagged);
    }

    @Override
    public byte[] manifest(String digest) {
        return behind.manifest(digest);
    }

    @Override
    public byte[] piece(Piece piece) {
        asked.add(piece);
        Runnable action = beforePiece;
        if (action != null) {
            action.run();
        }
        byte[] bytes = behind.piece(piece);
        if (fault == Fault.NONE || left.getAndDecrement() > 0) {
            return bytes;
        }
        return switch (fault) {
            case STALLS -> stalled();
            case IS_CUT -> throw VseException.of(ErrorCode.IMAGE_SOURCE_FAILED, "the connection was cut");
            case THROWS -> throw new IllegalStateException("a defect of the source");
            case FLIPS_A_BIT -> {
                bytes[bytes.length / 2] ^= 1;
                yield bytes;
            }
            case SENDS_TOO_MUCH -> Arrays.copyOf(bytes, bytes.length + 1);
            case SENDS_TOO_LITTLE, NONE -> Arrays.copyOf(bytes, bytes.length - 1);
        };
    }

    private static byte[] stalled() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new byte[0];
    }
}
