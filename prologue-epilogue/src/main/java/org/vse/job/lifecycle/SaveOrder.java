package org.vse.job.lifecycle;

import java.util.concurrent.CompletableFuture;

/**
 * The word to save the machines of a running job.
 *
 * @param stop whether the job ends with it, to go on later
 * @param done completed with what they were saved as, or with why they were not; then they run on
 */
public record SaveOrder(boolean stop, CompletableFuture<SavedAs> done) {
    public SaveOrder(boolean stop) {
        this(stop, new CompletableFuture<>());
    }
}
