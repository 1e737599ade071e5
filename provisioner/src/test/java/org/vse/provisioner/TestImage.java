package org.vse.provisioner;

import java.nio.file.Path;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;

/**
 * The image that tests boot: {@code debian-12} of the store that the system property {@code vse.test.images} names. Without
 * it there is no such test, and that is a failure.
 */
public final class TestImage {
    private TestImage() {}

    public static Image debian() {
        String store = System.getProperty("vse.test.images", "");
        if (store.isEmpty()) {
            throw new AssertionError("-Dvse.test.images=STORE is needed, with debian-12; ./dev test makes one");
        }
        return new ImageStore(Path.of(store)).resolve("debian-12");
    }
}
