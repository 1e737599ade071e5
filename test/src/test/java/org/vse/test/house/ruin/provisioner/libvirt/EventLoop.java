package org.vse.test.house.ruin.provisioner.libvirt;

/** May have static state. */
final class EventLoop {
    static boolean started;

    private EventLoop() {}
}
