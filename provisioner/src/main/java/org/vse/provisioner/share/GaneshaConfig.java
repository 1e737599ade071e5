package org.vse.provisioner.share;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Configuration text of nfs-ganesha (ganesha-config(8), ganesha-export-config(8)) for one share: pure. */
final class GaneshaConfig {
    private GaneshaConfig() {}

    /**
     * A directory that is exported.
     *
     * @param path its name for the server
     * @param deviceless whether file handles leave the number of its device out
     */
    record Root(Path path, boolean deviceless) {}

    /**
     * @param again clients of an earlier server of this share are to get back what they had open
     */
    static String of(NfsShare share, List<Root> roots, Path recovery, boolean again) {
        StringBuilder text = new StringBuilder();
        text.append("NFS_CORE_PARAM {\n")
                .append(
                        "  NFS_Protocols = 4;\n  Enable_NLM = false;\n  Enable_RQUOTA = false;\n  Enable_UDP = false;\n")
                .append("  mount_path_pseudo = true;\n")
                .append("  Bind_addr = ")
                .append(share.address())
                .append(";\n  NFS_Port = 2049;\n}\n");
        text.append("NFS_KRB5 {\n  Active_krb5 = false;\n}\n");
        text.append("NFSV4 {\n  Graceless = ")
                .append(!again)
                .append(";\n  RecoveryBackend = fs;\n")
                .append("  RecoveryRoot = ")
                .append(quoted(recovery))
                .append(";\n")
                .append("  Only_Numeric_Owners = true;\n  Lease_Lifetime = 10;\n  Grace_Period = 12;\n}\n");
        text.append("LOG {\n  Default_Log_Level = EVENT;\n}\n");
        // The server's own identity is the user's; it may take no other and must not try.
        text.append("VFS {\n  only_one_user = true;\n}\n");
        for (int i = 0; i < roots.size(); i++) {
            text.append("EXPORT {\n")
                    .append("  Export_Id = ")
                    .append(i + 1)
                    .append(";\n")
                    .append("  Path = ")
                    .append(quoted(roots.get(i).path()))
                    .append(";\n")
                    .append("  Pseudo = \"")
                    .append(NfsShare.export(i))
                    .append("\";\n")
                    .append("  Protocols = 4;\n  Transports = TCP;\n  SecType = sys;\n  Access_Type = ")
                    .append(share.isWritable(i) ? "RW" : "RO")
                    .append(";\n")
                    .append("  Squash = All_Squash;\n")
                    .append("  Anonymous_Uid = ")
                    .append(share.uid())
                    .append(";\n")
                    .append("  Anonymous_Gid = ")
                    .append(share.gid())
                    .append(";\n")
                    // The host's users change files too; by default they are believed unchanged for a minute.
                    .append("  Attr_Expiration_Time = 1;\n")
                    .append("  Filesystem_Id = 77.")
                    .append(i + 1)
                    .append(";\n")
                    .append("  FSAL {\n    Name = VFS;\n")
                    .append(roots.get(i).deviceless() ? "    fsid_type = Major64;\n" : "")
                    .append("  }\n}\n");
        }
        return text.toString();
    }

    /**
     * The table of mounts for the server to read (fstab(5)): what it exports and nothing else. In the kernel's own table it
     * passes over each line whose type begins with nfs, and looks at all mounts above its exports.
     */
    static String mounts(List<Root> roots) {
        return roots.stream()
                .map(root ->
                        "vse " + root.path().toString().replace("\\", "\\134").replace(" ", "\\040") + " vse rw 0 0\n")
                .collect(Collectors.joining());
    }

    private static String quoted(Path path) {
        if (path.toString().chars().anyMatch(c -> c < 0x20 || c == '"' || c == '\\' || c == 0x7f)) {
            throw new IllegalArgumentException("path has no form in this file: " + path);
        }
        return "\"" + path + "\"";
    }
}
