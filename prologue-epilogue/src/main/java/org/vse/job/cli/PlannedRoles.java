package org.vse.job.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageStore;
import org.vse.policy.ByteSize;
import org.vse.policy.JobDescription;
import org.vse.policy.layer.Applicant;

/**
 * What would be booted: one line for the head and one for the workers, however many these are. Nodes and cores are the batch
 * system's to choose.
 *
 * @param digest of the image that its name means on this node now; empty when this node has none of that name
 */
record PlannedRoles(JobDescription job, long vms, Optional<String> digest, List<Role> roles) {
    /**
     * VMs that are alike.
     *
     * @param names of the first and the last
     * @param vcpus of each; a word where the allocation decides
     */
    record Role(String role, String names, long count, String vcpus, String memory) {}

    /** @throws VseException IMAGE_CORRUPT, STORAGE_FAILED */
    static PlannedRoles of(JobDescription job, Applicant applicant, ImageStore images) {
        long vms = (long) applicant.nodes() * job.vmsPerNode();
        String worker = job.vcpus().isPresent()
                ? Integer.toString(job.vcpus().getAsInt())
                : applicant.coresPerNode().isPresent()
                        ? Integer.toString(Math.max(1, applicant.coresPerNode().getAsInt() / job.vmsPerNode()))
                        : "cores of its node / " + job.vmsPerNode();
        String head =
                job.headVcpus().isPresent() ? Integer.toString(job.headVcpus().getAsInt()) : worker;
        List<Role> roles = new ArrayList<>();
        roles.add(new Role("head", "vm0", 1, head, ByteSize.format(job.headMemoryBytes())));
        if (vms > 1) {
            String names = vms == 2 ? "vm1" : "vm1 to vm" + (vms - 1);
            roles.add(new Role("worker", names, vms - 1, worker, ByteSize.format(job.memoryBytes())));
        }
        return new PlannedRoles(job, vms, digest(images, job.image().toString()), List.copyOf(roles));
    }

    private static Optional<String> digest(ImageStore images, String name) {
        try {
            return Optional.of(images.resolve(name).digest());
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_UNKNOWN) {
                throw e;
            }
            return Optional.empty();
        }
    }

    String text() {
        List<List<String>> rows = roles.stream()
                .map(role ->
                        List.of(role.role(), role.names(), Long.toString(role.count()), role.vcpus(), role.memory()))
                .toList();
        return new Table(List.of("role", "VMs", "count", "vcpus", "memory"), rows).text() + "\nimage " + job.image()
                + ", " + digest.orElse("which is not on this node");
    }

    Map<String, Object> json() {
        Map<String, Object> plan = new LinkedHashMap<>();
        plan.put("image", job.image().toString());
        plan.put("digest", digest.orElse(""));
        plan.put("vms", vms);
        plan.put(
                "roles",
                roles.stream()
                        .map(role -> Map.of(
                                "role", role.role(),
                                "names", role.names(),
                                "count", role.count(),
                                "vcpus", role.vcpus(),
                                "memory", role.memory()))
                        .toList());
        return plan;
    }
}
