package org.vse.provisioner.checkpoint;

/**
 * One machine of a set.
 *
 * @param index its number in the job, from 0
 * @param node where it ran
 * @param vcpus its virtual processors
 * @param memoryBytes what its guest was told it has
 * @param memory file of its memory
 * @param state where its state begins in that file, bytes
 * @param disk file of its overlay
 */
public record SavedVm(
        int index, String node, int vcpus, long memoryBytes, SavedFile memory, long state, SavedFile disk) {}
