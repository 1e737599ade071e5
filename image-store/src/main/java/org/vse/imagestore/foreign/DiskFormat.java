package org.vse.imagestore.foreign;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Formats that can be stated for a file. Nothing is ever probed to find out which one a file has. */
public enum DiskFormat {
    /** QEMU's own, docs/interop/qcow2.txt of QEMU. */
    QCOW2("qcow2"),
    /** The bytes as the guest sees them. */
    RAW("raw");

    /** Beginnings of files by which people are told that they have stated something else than they have. */
    private record Sign(String what, int offset, String latin1) {}

    private static final List<Sign> SIGNS = List.of(
            new Sign("a qcow2 disk", 0, "QFI\u00fb"),
            new Sign("a QED disk", 0, "QED\0"),
            new Sign("a VMDK disk", 0, "KDMV"),
            new Sign("a VMDK disk", 0, "COWD"),
            new Sign("a VMDK description, which names other files", 0, "# Disk DescriptorFile"),
            new Sign("a VHDX disk", 0, "vhdxfile"),
            new Sign("a VPC disk", 0, "conectix"),
            new Sign("a Parallels disk", 0, "WithoutFreeSpace"),
            new Sign("a Parallels disk", 0, "WithouFreSpacExt"),
            new Sign("an encrypted LUKS volume", 0, "LUKS\u00ba\u00be"),
            new Sign("a VDI disk", 0x40, "\u007f\u0010\u00da\u00be"),
            new Sign("a gzip file", 0, "\u001f\u008b"),
            new Sign("an xz file", 0, "\u00fd7zXZ"),
            new Sign("a zstd file", 0, "(\u00b5/\u00fd"));

    private final String word;

    DiskFormat(String word) {
        this.word = word;
    }

    /** As written on the command line and given to qemu-img. */
    public String word() {
        return word;
    }

    /** What the first bytes of a file that was stated to be of this format say that it is instead. */
    Optional<String> contradiction(byte[] head) {
        String latin1 = new String(head, StandardCharsets.ISO_8859_1);
        return SIGNS.stream()
                .filter(sign -> latin1.startsWith(sign.latin1(), sign.offset()))
                .map(Sign::what)
                .filter(what -> this != QCOW2 || !what.equals("a qcow2 disk"))
                .findFirst();
    }

    @Override
    public String toString() {
        return word;
    }
}
