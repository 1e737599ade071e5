package org.vse.provisioner.libvirt;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.provisioner.VmDriver.EndListener;
import org.vse.provisioner.VmName;

/**
 * Who of our machines lives, so that each end is told once.
 *
 * <pre>
 * (none) --starting--> STARTING --started--> LIVING --ended--> (told)
 *                         |                    |
 *                         | failed             | destroying
 *                         v                    v
 *                      (none)              DESTROYED --ended--> (none)
 * </pre>
 *
 * An end that comes while STARTING is kept until {@link #started} and forgotten by {@link #failed}: whoever asked for the
 * start is told by an exception then. libvirt tells nothing of a machine that ended while nobody was connected; {@link
 * #reconcile} finds those.
 */
final class KnownMachines implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KnownMachines.class);

    private enum Phase {
        STARTING,
        LIVING,
        DESTROYED
    }

    private record Known(VmName name, Phase phase, @Nullable String end) {}

    private final Map<UUID, Known> machines = new HashMap<>();
    private final List<EndListener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService teller = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "machine-ends");
        thread.setDaemon(true);
        return thread;
    });

    void listen(EndListener listener) {
        listeners.add(listener);
    }

    synchronized void starting(UUID uuid, VmName name) {
        machines.put(uuid, new Known(name, Phase.STARTING, null));
    }

    synchronized void started(UUID uuid) {
        Known known = machines.get(uuid);
        if (known == null) {
            return;
        }
        if (known.end() == null) {
            machines.put(uuid, new Known(known.name(), Phase.LIVING, null));
        } else {
            machines.remove(uuid);
            tell(known.name(), known.end());
        }
    }

    synchronized void failed(UUID uuid) {
        machines.remove(uuid);
    }

    synchronized void destroying(UUID uuid) {
        machines.computeIfPresent(uuid, (key, known) -> new Known(known.name(), Phase.DESTROYED, null));
    }

    /** The machine could not be destroyed: its end, should it come, is its own again. */
    synchronized void notDestroyed(UUID uuid) {
        machines.computeIfPresent(uuid, (key, known) -> new Known(known.name(), Phase.LIVING, null));
    }

    /** @param why the hypervisor's word: shutdown, crashed, killed */
    synchronized void ended(UUID uuid, String why) {
        Known known = machines.get(uuid);
        if (known == null) {
            return;
        }
        switch (known.phase()) {
            case STARTING -> machines.put(uuid, new Known(known.name(), Phase.STARTING, why));
            case LIVING -> {
                machines.remove(uuid);
                tell(known.name(), why);
            }
            case DESTROYED -> machines.remove(uuid);
        }
    }

    /** Compares with who lives now: machines not known yet are ours to watch, known ones that are missing have been killed. */
    synchronized void reconcile(Map<UUID, VmName> living) {
        living.forEach((uuid, name) -> machines.putIfAbsent(uuid, new Known(name, Phase.LIVING, null)));
        List<UUID> missing = machines.entrySet().stream()
                .filter(known -> known.getValue().phase() != Phase.STARTING && !living.containsKey(known.getKey()))
                .map(Map.Entry::getKey)
                .toList();
        missing.forEach(uuid -> ended(uuid, "killed"));
    }

    /** What was told before is still delivered. */
    @Override
    public void close() {
        teller.shutdown();
        try {
            if (!teller.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("a listener for ended machines does not return");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void tell(VmName name, String why) {
        if (teller.isShutdown()) {
            return;
        }
        teller.execute(() -> {
            for (EndListener listener : listeners) {
                try {
                    listener.ended(name, why);
                } catch (RuntimeException e) {
                    LOG.error("a listener failed on the end of machine '{}' ({})", name, why, e);
                }
            }
        });
    }
}
