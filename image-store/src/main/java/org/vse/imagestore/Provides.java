package org.vse.imagestore;

import java.util.Arrays;
import java.util.Optional;

/** A share that a guest can mount under a given kernel. */
public enum Provides {
    /** NFS version 4. */
    NFS("nfs"),
    /** The 9p file system over virtio. */
    NINE_P("9p");

    private final String word;

    Provides(String word) {
        this.word = word;
    }

    /** As written in recipes and manifests. */
    public String word() {
        return word;
    }

    public static Optional<Provides> of(String word) {
        return Arrays.stream(values()).filter(p -> p.word.equals(word)).findFirst();
    }

    @Override
    public String toString() {
        return word;
    }
}
