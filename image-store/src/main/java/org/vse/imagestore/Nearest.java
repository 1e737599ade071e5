package org.vse.imagestore;

import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** Chooses what a new difference is built on: the fewer lines are left to make, the sooner a job begins. */
@FunctionalInterface
public interface Nearest {
    /**
     * A difference that this node has.
     *
     * @param image in the node's store
     */
    record Kept(Wanted wanted, Image image) {}

    /**
     * Where to begin.
     *
     * @param has lines of the wanted one that the image has already
     */
    record Start(Image image, Set<String> has) {
        public Start {
            has = Set.copyOf(has);
        }
    }

    /**
     * One of the kept images, or the base itself.
     *
     * @param kept differences of the same base
     */
    Start to(Wanted wanted, Image base, List<Kept> kept);

    /** Every difference is built on its base. */
    static Nearest base() {
        return (wanted, base, kept) -> new Start(base, Set.of());
    }

    /** On the kept image that has most of the wanted packages, and nothing else. */
    static Nearest packages() {
        return (wanted, base, kept) -> kept.stream()
                .filter(each -> each.wanted().additive())
                .filter(each -> wanted.additive()
                        && Set.copyOf(wanted.lines()).containsAll(each.wanted().lines()))
                .max(Comparator.comparing((Kept each) -> each.wanted().lines().size())
                        .thenComparing(each -> each.image().digest()))
                .map(each -> new Start(each.image(), Set.copyOf(each.wanted().lines())))
                .orElseGet(() -> new Start(base, Set.of()));
    }
}
