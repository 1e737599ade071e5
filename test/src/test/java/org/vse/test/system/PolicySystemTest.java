package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What a site's policy allows a job is there in its VMs, and what it does not allow is refused in explain's words. */
@Tag("system")
class PolicySystemTest {
    private static Site site;
    private static Path data;

    @BeforeAll
    static void open() throws IOException {
        // In /srv, as no directory of the guest's own.
        data = Files.createTempDirectory(Path.of("/srv"), "vse-policy-");
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path programs = Files.createDirectories(data.resolve("site/plug-ins"));
        program(programs.resolve("token"), """
                #!/bin/sh
                read job
                case $job in *'"argument":"seven"'*) ;; *) exit 9 ;; esac
                echo "{\\"environment\\": {\\"TOKEN\\": \\"as $(id -u)\\"}}"
                """);
        program(programs.resolve("broken"), "#!/bin/sh\necho 'no licence is left' >&2\nexit 4\n");
        Path policy = data.resolve("site/policy.yaml");
        Files.writeString(policy, """
                queues:
                  local:
                    images: { allow: ["debian-12"] }
                    mounts: { read: ["%1$s/read", "%1$s/link"], write: ["%1$s/write"] }
                    services: { allow: ["*"] }
                    boot: { allow: ["vse.test=*", "module_blacklist=*"] }
                    plug-ins: { allow: [hostfile, nfs-server, token, broken] }
                    limits: { root: [no, yes], memory: 512MiB }
                """.formatted(data));
        site = Site.prepare("policy: " + policy + "\n");
        site.root().vse("up").expect(0);
        Account alice = site.alice();
        for (String name : new String[] {"read", "write"}) {
            Path directory = Files.createDirectory(data.resolve(name));
            Files.writeString(directory.resolve("old"), "there\n");
            for (Path path : new Path[] {directory, directory.resolve("old")}) {
                Files.setAttribute(path, "unix:uid", alice.uid());
                Files.setAttribute(path, "unix:gid", alice.gid());
            }
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        }
        Files.createSymbolicLink(data.resolve("link"), data.resolve("read"));
    }

    private static void program(Path path, String text) throws IOException {
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterAll
    static void close() throws IOException {
        site.close();
        try (var tree = Files.walk(data)) {
            for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void whatIsAllowedIsThere() throws IOException {
        Desk home = site.desk(site.alice());
        home.script("all.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=2
                #VSE image=debian-12 vms-per-node=2 memory=192MiB head-memory=256MiB
                #VSE mounts=%1$s/read,%1$s/write:rw boot=vse.test=1
                #VSE head-services=ssh plug-ins=hostfile:mpich,token:seven,nfs-server:/scratch/own
                cat %1$s/read/old
                touch %1$s/read/new 2>/dev/null || echo "read only"
                touch %1$s/write/new && echo "written"
                grep -o vse.test=1 /proc/cmdline
                echo "role $VSE_ROLE $(cat /run/vse/role) $(ssh vm1 cat /run/vse/role)"
                head=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)
                worker=$(ssh vm1 awk "'/MemTotal/ { print \\$2 }'" /proc/meminfo)
                [ "$head" -gt "$worker" ] && echo "head has more"
                ls /run/vse/service-ssh && ssh vm1 ls /run/vse/service-ssh 2>/dev/null || echo "one service"
                tr '\\n' ' ' < "$VSE_HOSTFILE"; echo
                echo "token $TOKEN, user $(id -un)"
                cd /scratch/own
                umask 077
                echo "of the head" > from-head
                ssh vm1 'cd /scratch/own && cat from-head && umask 077 && echo "of a worker" > from-worker && rm from-head'
                echo "$(ls) $(cat from-worker) $(stat -c '%%u %%a' from-worker) in $(stat -c '%%u %%a' .)"
                ssh vm1 grep -c '"^10[.]77[.]0[.]1:/[^ ]* /scratch/own nfs4 "' /proc/mounts
                """.formatted(data));
        Finished run = home.vse("run", "--quiet", "all.sh");
        run.expect(0);
        assertThat(run.out())
                .isEqualTo("there\nread only\nwritten\nvse.test=1\nrole head head worker\nhead has more\n"
                        + "/run/vse/service-ssh\none service\nvm0:1 vm1:1 \ntoken as "
                        + site.alice().uid() + ", user " + site.alice().name()
                        + "\nof the head\nfrom-worker of a worker "
                        + site.alice().uid() + " 600 in " + site.alice().uid() + " 755\n1\n");
        assertThat(Files.getAttribute(data.resolve("write/new"), "unix:uid"))
                .isEqualTo(site.alice().uid());
        assertThat(data.resolve("read/new")).doesNotExist();
    }

    @Test
    void rootOfTheGuestIsTheUserOutside() throws IOException {
        Desk home = site.desk(site.alice());
        home.script("root.sh", """
                #!/bin/sh
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 memory=192MiB root=yes
                id -u
                : > by-root
                """);
        home.script("broken.sh", """
                #!/bin/sh
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 memory=192MiB plug-ins=broken services=none-such
                """);
        Started root = home.start("run", "--quiet", "root.sh");
        Finished broken = home.vse("run", "--quiet", "broken.sh");
        assertThat(root.finish().expect(0).out()).isEqualTo("0\n");
        assertThat(Files.getAttribute(site.alice().home().resolve("by-root"), "unix:uid"))
                .isEqualTo(site.alice().uid());
        assertThat(broken.err()).contains("step 'service'", "the image has no service 'none-such'");
        home.script("broken.sh", """
                #!/bin/sh
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 memory=192MiB plug-ins=broken
                """);
        assertThat(home.vse("run", "--quiet", "broken.sh").err())
                .contains("plug-in 'broken' failed [PLUG_IN_FAILED]", "no licence is left");
        home.script("without.sh", """
                #!/bin/sh
                #PBS -l nodes=1:ppn=2
                #VSE image=debian-12 memory=192MiB vms-per-node=2 boot=module_blacklist=nfsd
                #VSE plug-ins=nfs-server:/scratch
                """);
        assertThat(home.vse("run", "--quiet", "without.sh").err())
                .contains(
                        "plug-in 'nfs-server' failed [PLUG_IN_FAILED]",
                        "the image's kernel has no NFS server: it needs the module 'nfsd'");
    }

    @Test
    void submitRefusesInTheWordsOfExplain() {
        Desk home = site.desk(site.alice());
        home.script("refused.sh", "#!/bin/sh\n#VSE image=debian-12 memory=1GiB\n#VSE mounts=/etc boot=init=/bin/sh\n");
        Finished submitted = home.vse("run", "refused.sh");
        Finished explained = home.vse(
                "policy",
                "explain",
                "refused.sh",
                "--policy",
                data.resolve("site/policy.yaml").toString());
        assertThat(submitted.exitCode()).isNotZero();
        assertThat(explained.exitCode()).isOne();
        String refusal = submitted
                .err()
                .substring(submitted.err().indexOf("vse: " + home.account().home() + "/refused.sh:"));
        assertThat(refusal).contains("[POLICY_LIMIT]").contains("limits.memory at " + data);
        assertThat(explained.out()).contains(refusal.strip());
        home.script("link.sh", "#!/bin/sh\n#VSE image=debian-12\n#VSE mounts=" + data + "/link\n");
        assertThat(home.vse("run", "link.sh").err())
                .contains("is reached through a symbolic link [SHARE_UNSUPPORTED]", data + "/read");
    }
}
