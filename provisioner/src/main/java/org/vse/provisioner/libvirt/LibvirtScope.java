package org.vse.provisioner.libvirt;

/** What a libvirtd of our own may do: all that root may, or what one ordinary user may. */
public enum LibvirtScope {
    /** {@code qemu:///system}: runs as root, QEMU under any uid. */
    SYSTEM("/system"),
    /** {@code qemu:///session}: runs as an ordinary user, and QEMU as the same; no network devices of the host. */
    SESSION("/session");

    private final String path;

    LibvirtScope(String path) {
        this.path = path;
    }

    /** The path of libvirt's connection URI. */
    String path() {
        return path;
    }
}
