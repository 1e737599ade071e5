package org.vse.imagestore;

import java.util.Optional;
import java.util.regex.Matcher;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** A node's images from elsewhere: fetched when a job needs them, kept as long as there is room. */
public final class ImageCache {
    private final ImageStore store;
    private final ImageTransfer transfer;
    private final CacheRoom room;

    public ImageCache(ImageStore store, ImageTransfer transfer, CacheRoom room) {
        this.store = store;
        this.transfer = transfer;
        this.room = room;
    }

    /**
     * What a reference means at the sources; nothing is fetched yet.
     *
     * @return empty when they know nothing of it
     * @throws VseException IMAGE_SOURCE_FAILED
     */
    public Optional<Image> announced(String reference) {
        Matcher tagged = ImageStore.TAGGED.matcher(reference);
        if (tagged.matches()) {
            String name = tagged.group(1);
            String tag = Optional.ofNullable(tagged.group(2)).orElse(ImageStore.DEFAULT_TAG);
            return transfer.digest(name + ":" + tag).map(digest -> transfer.announced(digest, name, tag));
        }
        Matcher digested = ImageStore.DIGESTED.matcher(reference);
        if (!digested.matches() || digested.group(1) == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(transfer.announced(digested.group(2), digested.group(1), ""));
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_UNKNOWN) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /**
     * The image, fetched when it is not here.
     *
     * @throws VseException as {@link ImageTransfer#bring}; DISK_FULL also when it does not fit the budget
     */
    public Image fetch(String digest) {
        Image image = store.byDigest(digest).orElseGet(() -> fetched(digest));
        room.used(digest);
        return image;
    }

    private Image fetched(String digest) {
        try {
            return transfer.bring(digest, bytes -> room.make(digest, bytes), () -> room.mark(digest));
        } finally {
            room.arrived(digest);
        }
    }
}
