package org.vse.provisioner;

/**
 * Whose a machine is; stored in the hypervisor beside the machine, so that it is found by what it is and not by its name.
 *
 * @param owner the installation of this software that started it: its state directory's id
 * @param job the job's key on this node
 * @param attempt 1 for the first attempt
 * @param index 0 for the job's first machine
 */
public record VmLabel(String owner, String job, int attempt, int index) {}
