package org.vse.provisioner.guest;

import java.util.List;
import java.util.regex.Pattern;

/** A share that the guest mounts before the job begins. */
public sealed interface GuestMount {
    /** File system type as mount(8) takes it. */
    String type();

    /** Options as mount(8) takes them. */
    String options();

    /** What is mounted. */
    String source();

    /** Absolute path of the directory in the guest; made when it is missing. */
    String target();

    /**
     * An NFSv4.1 export at TCP port 2049. Without mount.nfs4: the kernel gets its own text options (nfs(5), kernel
     * documentation admin-guide/nfs).
     *
     * @param server address of the server, numeric
     * @param client the guest's own address on that network, numeric
     * @param export path of the export as the server's pseudo file system names it
     * @param extra further options, each {@code name} or {@code name=value}
     */
    record Nfs(String server, String client, String export, String target, List<String> extra) implements GuestMount {
        private static final Pattern ADDRESS = Pattern.compile("[0-9A-Fa-f.:]{2,45}");
        /** How long the guest believes what it knows of a file, and that there is none; by default up to a minute. */
        private static final int ATTRIBUTE_SECONDS = 3;

        private static final Pattern OPTION = Pattern.compile("[a-z0-9_]+(=[A-Za-z0-9_.:/-]+)?");

        public Nfs {
            extra = List.copyOf(extra);
            if (!ADDRESS.matcher(server).matches() || !ADDRESS.matcher(client).matches()) {
                throw new IllegalArgumentException("not an address: '" + server + "' or '" + client + "'");
            }
            GuestPath.require(export);
            GuestPath.require(target);
            for (String option : extra) {
                if (!OPTION.matcher(option).matches()) {
                    throw new IllegalArgumentException("not a mount option: '" + Excerpt.of(option) + "'");
                }
            }
        }

        @Override
        public String type() {
            return "nfs4";
        }

        @Override
        public String options() {
            String fixed = "vers=4.1,proto=tcp,port=2049,addr=" + server + ",clientaddr=" + client
                    + ",hard,timeo=600,retrans=2,sec=sys,actimeo=" + ATTRIBUTE_SECONDS;
            return extra.isEmpty() ? fixed : fixed + "," + String.join(",", extra);
        }

        @Override
        public String source() {
            return (server.indexOf(':') >= 0 ? "[" + server + "]" : server) + ":" + export;
        }
    }

    /** A directory that QEMU offers by 9p. */
    record NineP(String tag, String target) implements GuestMount {
        private static final Pattern TAG = Pattern.compile("[a-z][a-z0-9-]{0,30}");

        public NineP {
            if (!TAG.matcher(tag).matches()) {
                throw new IllegalArgumentException("not a 9p tag: '" + Excerpt.of(tag) + "'");
            }
            GuestPath.require(target);
        }

        @Override
        public String type() {
            return "9p";
        }

        @Override
        public String options() {
            return "trans=virtio,version=9p2000.L,msize=262144,cache=mmap,access=client";
        }

        @Override
        public String source() {
            return tag;
        }
    }
}
