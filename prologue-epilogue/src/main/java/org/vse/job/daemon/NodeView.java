package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.vse.scheduler.local.CoreLease;

/** This node as the API shows it: its cores and its memory as they are configured, and who has them. */
final class NodeView {
    private final ObjectMapper json;
    private final JobTable table;
    private final LocalDesk desk;

    NodeView(ObjectMapper json, JobTable table, LocalDesk desk) {
        this.json = json;
        this.table = table;
        this.desk = desk;
    }

    /** The caller learns that a core is taken, but the names of their own jobs only. */
    ObjectNode of(Peer peer) {
        VsedConfig config = desk.config();
        List<CoreLease> leases = desk.leases();
        long held = leases.stream().mapToLong(CoreLease::memoryBytes).sum();
        ObjectNode view = json.createObjectNode()
                .put("node", config.node())
                .put("oversubscribe", config.sharers())
                .put("memoryBytes", config.memory())
                .put("freeMemoryBytes", Math.max(0, config.memory() - held));
        ArrayNode cores = view.putArray("cores");
        List<List<Integer>> memories = config.memories();
        for (int memory = 0; memory < memories.size(); memory++) {
            for (int core : memories.get(memory)) {
                List<CoreLease> holders = leases.stream()
                        .filter(lease -> lease.cores().contains(core))
                        .toList();
                ObjectNode line = cores.addObject()
                        .put("core", core)
                        .put("numa", memory)
                        .put("holders", holders.size())
                        .put(
                                "state",
                                holders.isEmpty() ? "FREE" : holders.get(0).shared() ? "SHARED" : "BUSY");
                ArrayNode jobs = line.putArray("jobs");
                holders.stream()
                        .map(CoreLease::job)
                        .filter(id -> table.find(id)
                                .map(job -> peer.mayTouch(job.record().user().uid()))
                                .orElse(false))
                        .forEach(jobs::add);
            }
        }
        return view;
    }
}
