package org.vse.test.cluster;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Lets a few scenarios at a time share the hosts of a cluster, and lets one that {@link Disturbs} some have them alone. Whoever
 * disturbs waits for everybody else: JUnit's locks would let the others queue up behind it.
 */
final class Turns implements BeforeEachCallback, AfterEachCallback {
    private static final String HEAD = "head";
    private static final int ALONE = -1;

    /** So many have cores for their machines at once, or nearly so. */
    private static final int AT_ONCE = 5;

    /** How many have a host; {@link #ALONE} for one that disturbs it. */
    private final Map<String, Integer> users = new HashMap<>();

    /** How many wait that disturb nobody. */
    private int waiting;

    @Override
    public synchronized void beforeEach(ExtensionContext scenario) throws InterruptedException {
        boolean disturbs = disturbs(scenario).isPresent();
        waiting += disturbs ? 0 : 1;
        while (!isFree(scenario) || (disturbs ? waiting > 0 : users.getOrDefault(HEAD, 0) >= AT_ONCE)) {
            wait();
        }
        waiting -= disturbs ? 0 : 1;
        alone(scenario).forEach(host -> users.put(host, ALONE));
        shared(scenario).forEach(host -> users.merge(host, 1, Integer::sum));
        notifyAll();
    }

    @Override
    public synchronized void afterEach(ExtensionContext scenario) {
        alone(scenario).forEach(users::remove);
        shared(scenario).forEach(host -> users.merge(host, -1, Integer::sum));
        notifyAll();
    }

    private boolean isFree(ExtensionContext scenario) {
        return alone(scenario).stream().allMatch(host -> users.getOrDefault(host, 0) == 0)
                && shared(scenario).stream().allMatch(host -> users.getOrDefault(host, 0) >= 0);
    }

    private static Optional<Disturbs> disturbs(ExtensionContext scenario) {
        return AnnotationSupport.findAnnotation(scenario.getRequiredTestMethod(), Disturbs.class);
    }

    static Set<String> alone(ExtensionContext scenario) {
        return disturbs(scenario).map(disturbs -> Set.of(disturbs.value())).orElseGet(Set::of);
    }

    private static Set<String> shared(ExtensionContext scenario) {
        Set<String> hosts = new HashSet<>(disturbs(scenario)
                .map(disturbs -> Arrays.asList(disturbs.beside()))
                .orElse(Cluster.NODES));
        hosts.add(HEAD);
        hosts.removeAll(alone(scenario));
        return hosts;
    }
}
