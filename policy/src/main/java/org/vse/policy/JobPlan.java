package org.vse.policy;

import java.util.List;

/**
 * Which VMs a job has, where, on which cores, from which image. Made once at admission; nothing else is booted for the job.
 *
 * @param imageName as the user wrote it; for people
 * @param imageDigest what is booted
 * @param vms by index, from 0 without gaps
 */
public record JobPlan(ImageReference imageName, String imageDigest, Share share, Network network, List<PlannedVm> vms) {
    public JobPlan {
        vms = List.copyOf(vms);
        if (imageDigest.isBlank() || vms.isEmpty()) {
            throw new IllegalArgumentException("not a plan: digest '" + imageDigest + "', " + vms.size() + " VMs");
        }
        for (int i = 0; i < vms.size(); i++) {
            if (vms.get(i).index() != i) {
                throw new IllegalArgumentException("VM " + vms.get(i).index() + " at place " + i);
            }
        }
        if (network == Network.USER && vms.size() > 1) {
            throw new IllegalArgumentException(vms.size() + " VMs without a network to join them");
        }
    }
}
