package org.vse.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** From what a job asks for and what the batch system gave to the VMs of the job. Time and memory are linear in both. */
public final class Planner {
    private Planner() {}

    /**
     * Each node's cores are divided into {@code vms-per-node} runs of equal length, in the order of the allocation; each VM
     * has its virtual processors on the first cores of its run, one on each. Cores that do not divide stay idle, so that all
     * VMs of a node are alike; only the job's first VM, its head, may have other virtual processors and memory. VMs are numbered across the nodes in the order of the allocation.
     *
     * @param imageName the image that {@code imageDigest} was resolved from: the description's
     * @return the same plan for the same arguments, always
     * @throws VseException DIRECTIVE_CONFLICT when a node has fewer cores than its VMs need, or several nodes were allocated
     *     for a user network
     */
    public static JobPlan plan(
            JobDescription description, ImageReference imageName, String imageDigest, Allocation allocation) {
        int count = description.vmsPerNode();
        if (description.network() == Network.USER && allocation.nodes().size() > 1) {
            throw conflict(
                            description,
                            DirectiveKey.NETWORK,
                            "network=user joins no VMs, but the job has "
                                    + allocation.nodes().size() + " nodes")
                    .next("ask for one node, or write network=job");
        }
        List<PlannedVm> vms = new ArrayList<>(allocation.nodes().size() * count);
        for (NodeAllocation node : allocation.nodes()) {
            int run = node.cores().size() / count;
            if (run == 0 || description.mostVcpus().orElse(run) > run) {
                throw tooFewCores(description, node);
            }
            for (int i = 0; i < count; i++) {
                int index = vms.size();
                int vcpus = (index == 0 && description.headVcpus().isPresent()
                                ? description.headVcpus()
                                : description.vcpus())
                        .orElse(run);
                vms.add(new PlannedVm(
                        "vm" + index,
                        index,
                        node.node(),
                        node.cores().subList(i * run, i * run + vcpus),
                        vcpus,
                        index == 0 ? description.headMemoryBytes() : description.memoryBytes(),
                        description.diskBytes(),
                        index));
            }
        }
        return new JobPlan(imageName, imageDigest, description.share(), description.network(), vms);
    }

    private static VseException tooFewCores(JobDescription description, NodeAllocation node) {
        int vcpus = description.mostVcpus().orElse(1);
        int count = description.vmsPerNode();
        long needed = (long) vcpus * count;
        boolean many = description.provenance().containsKey(DirectiveKey.VMS_PER_NODE);
        DirectiveKey key = description.vcpus().isPresent() || !many ? DirectiveKey.VCPUS : DirectiveKey.VMS_PER_NODE;
        String what = count + (count == 1 ? " VM of " : " VMs of ") + vcpus + " virtual processors need " + needed
                + " cores, but node '" + node.node() + "' has " + node.cores().size() + " for the job";
        VseException conflict = conflict(description, key, what);
        description.provenance().entrySet().stream()
                .filter(e -> e.getKey() == DirectiveKey.VCPUS || e.getKey() == DirectiveKey.VMS_PER_NODE)
                .sorted(Map.Entry.comparingByKey())
                .forEach(e -> conflict.fact(e.getKey().word(), "set at " + e.getValue()));
        return conflict.fact("needed", needed + " cores")
                .fact("found", node.cores().size() + " cores")
                .next("ask the batch system for " + needed + " cores a node, or lower vcpus or vms-per-node");
    }

    private static VseException conflict(JobDescription description, DirectiveKey key, String what) {
        VseException conflict = VseException.of(ErrorCode.DIRECTIVE_CONFLICT, what);
        SourcePosition position = description.provenance().get(key);
        return position == null ? conflict : conflict.at(position.toString());
    }
}
