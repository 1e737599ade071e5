package org.vse.scheduler;

/**
 * A machine of a job, as the script is to see it in place of a node.
 *
 * @param name host name in the guests
 * @param cores virtual processors
 */
public record VirtualNode(String name, int cores) {}
