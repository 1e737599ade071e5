package org.vse.scheduler.local;

import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.Allocation;
import org.vse.policy.ByteSize;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobDescription;
import org.vse.policy.Network;
import org.vse.policy.NodeAllocation;
import org.vse.scheduler.ResourceRequest;
import org.vse.scheduler.ResourceRequest.Resource;

/**
 * The cores that a job takes on this node. There is one node here: each node that the script asks for becomes a group of
 * {@code vms-per-node} VMs of its own on this machine, with cores of its own, so that the script sees as many VMs as on a
 * cluster.
 *
 * @param groups as many as the script asks for nodes
 * @param coresPerGroup the script's ppn or ncpus; without one, vcpus × vms-per-node
 */
public record LocalDemand(int groups, int coresPerGroup) {
    public LocalDemand {
        if (groups < 1 || coresPerGroup < 1) {
            throw new IllegalArgumentException("not a demand: " + groups + " × " + coresPerGroup);
        }
    }

    /**
     * @throws VseException DIRECTIVE_CONFLICT when the VMs need more cores or memory than the script asks the batch system
     *     for, with both positions
     */
    public static LocalDemand of(ResourceRequest request, JobDescription description) {
        long needed = (long) description.mostVcpus().orElse(1) * description.vmsPerNode();
        int cores = request.coresPerNode().orElse(Math.toIntExact(needed));
        if (needed > cores) {
            DirectiveKey key = description.mostVcpus().isPresent() ? DirectiveKey.VCPUS : DirectiveKey.VMS_PER_NODE;
            throw conflict(
                            "the VMs of a node need " + needed + " cores, but the script asks for " + cores,
                            request,
                            Resource.CORES,
                            description,
                            key)
                    .next("ask for ppn=" + needed + ", or lower vcpus or vms-per-node");
        }
        long vms = (long) request.nodes() * description.vmsPerNode();
        long memory = request.memoryBytes().orElse(Long.MAX_VALUE);
        if (description.mostMemoryBytes() > memory / vms
                && request.memoryBytes().isPresent()) {
            String each = ByteSize.format(description.mostMemoryBytes());
            throw conflict(
                            "VMs of " + each + " × " + vms + " have more memory than the script asks for",
                            request,
                            Resource.MEMORY,
                            description,
                            DirectiveKey.MEMORY)
                    .fact("asked", memory + " bytes")
                    .next("ask for more mem, or lower memory");
        }
        if (description.network() == Network.USER && request.nodes() > 1) {
            throw conflict(
                            "network=user joins no VMs, but the script asks for " + request.nodes() + " nodes",
                            request,
                            Resource.NODES,
                            description,
                            DirectiveKey.NETWORK)
                    .next("ask for one node, or write network=job");
        }
        return new LocalDemand(request.nodes(), cores);
    }

    /** Cores of the whole job. More than an {@code int} holds counts as its largest value, which fits no node. */
    public int cores() {
        return (int) Math.min(Integer.MAX_VALUE, (long) groups * coresPerGroup);
    }

    /** Divides a lease of {@link #cores} cores among the groups, in order. */
    public Allocation allocation(String node, CoreLease lease) {
        if (lease.cores().size() != cores()) {
            throw new IllegalArgumentException(lease.cores().size() + " cores for " + this);
        }
        List<NodeAllocation> nodes = new ArrayList<>(groups);
        for (int i = 0; i < groups; i++) {
            nodes.add(new NodeAllocation(node, lease.cores().subList(i * coresPerGroup, (i + 1) * coresPerGroup)));
        }
        return new Allocation(nodes);
    }

    private static VseException conflict(
            String what, ResourceRequest request, Resource resource, JobDescription description, DirectiveKey key) {
        SourcePosition asked = request.provenance().get(resource);
        SourcePosition wanted = description.provenance().get(key);
        VseException conflict = VseException.of(ErrorCode.DIRECTIVE_CONFLICT, what);
        if (wanted != null) {
            conflict.at(wanted.toString()).fact(key.word(), "set at " + wanted);
        } else if (asked != null) {
            conflict.at(asked.toString()).fact(key.word(), "not set: the default is " + key.standard());
        }
        return asked == null ? conflict : conflict.fact("batch system", "asked at " + asked);
    }
}
