package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Staging;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** A node without images, whose source is the store of the tests. */
@Tag("system")
class ImageSystemTest {
    private static Site site;
    private static Path images;

    @BeforeAll
    static void open() throws IOException {
        site = Site.prepare("image-source: "
                + Path.of(System.getProperty("vse.test.images", "")).toRealPath() + "\n");
        Files.writeString(site.state().resolve("../etc/policy.yaml"), """
                queues:
                  local:
                    images: { allow: ["*"] }
                    packages: { allow: [hello, no-such-package] }
                    files: { allow: ["/etc/*"] }
                    run: { allow: ["*"] }
                    boot: { allow: [quiet] }
                    limits: { build-timeout: 300, build-size: 128MiB }
                """);
        images = site.state().resolve("images");
        if (Files.isSymbolicLink(images)) {
            Files.delete(images);
        } else {
            Staging.removeTree(images);
        }
        site.root().vse("up").expect(0);
        assertThat(images).doesNotExist();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static String script(String image, String command) {
        return "#!/bin/bash\n#PBS -l nodes=1:ppn=1\n#VSE image=" + image + "\n" + command + "\n";
    }

    @Test
    void aDifferenceIsMadeOnceAndOneThatFailsLeavesNothing() throws IOException {
        Desk home = site.desk(site.alice());
        home.put("motd", "from alice\n", "rw-------");
        home.script("a.yaml", """
                packages: [hello]
                files: ["copy:motd:/etc/motd", "link:motd:/etc/also", "delete:/etc/issue", "edit:/etc/debian_version:s/^/Debian /"]
                run: ["echo 'as' $(id -un) > /etc/run"]
                """);
        String look = "hello; cat /etc/motd /etc/also /etc/run /etc/debian_version; [ ! -e /etc/issue ]";
        home.script("one.sh", "#!/bin/bash\n#PBS -l nodes=1:ppn=1\n#VSE image=debian-12 vse=a.yaml\n" + look + "\n");
        Finished first = home.vse("run", "one.sh").expect(0);
        assertThat(first.out()).startsWith("Hello, world!\nfrom alice\nfrom alice\nas root\nDebian 12");
        assertThat(first.err())
                .contains("building difference: packages hello; 4 changed file(s); 1 command(s)")
                .contains("building difference: installing 1 package(s)");
        assertThat(new ImageStore(images).byDigest(tests().resolve("debian-12").digest()))
                .as("fetched because a job needs it")
                .isPresent();
        Finished again = home.vse("run", "one.sh").expect(0);
        assertThat(again.out()).isEqualTo(first.out());
        assertThat(again.err()).doesNotContain("building difference");
        int kept = Objects.requireNonNull(images.resolve("differences").toFile().list()).length;

        home.script("bad.sh", script("debian-12 packages=no-such-package", "true"));
        Finished bad = home.vse("run", "bad.sh");
        assertThat(bad.err()).contains("[DIFFERENCE_FAILED]", "Unable to locate package no-such-package");
        home.script("denied.sh", script("debian-12 packages=gcc", "true"));
        assertThat(home.vse("run", "denied.sh").err()).contains("'packages=gcc' is not allowed", "[POLICY_LIMIT]");
        site.awaitIdle();
        assertThat(images.resolve("differences").toFile().list()).hasSize(kept);
        try (var left = Files.walk(site.state().resolve("jobs"))) {
            assertThat(left.map(file -> file.getFileName().toString())).doesNotContain("difference", "packages");
        }
        site.root().vse("image", "verify", "--all").expect(0);
    }

    @Test
    void anEditedImageIsKeptAndAFailedEditChangesNothingAndAnImportedOneBoots() throws IOException {
        Desk root = site.root();
        String source =
                Path.of(System.getProperty("vse.test.images", "")).toRealPath().toString();
        root.vse("image", "pull", "debian-12", "--from", source).expect(0);
        root.put("note.txt", "a note\n", "rw-r--r--");
        Finished edited = root.vse(
                        "image",
                        "edit",
                        "debian-12",
                        "--tag",
                        "edited",
                        "--put",
                        "note.txt:/etc/note",
                        "--",
                        "/bin/sh",
                        "-c",
                        "echo done; rm /etc/issue")
                .expect(0);
        String digest = edited.out().lines().reduce((first, last) -> last).orElseThrow();
        assertThat(edited.out()).isEqualTo("done\n" + digest + "\n");
        assertThat(root.vse("image", "inspect", "debian-12:edited").expect(0).out())
                .contains(digest, "edit of debian-12:latest", "Debian 12 (bookworm)");

        Finished failed =
                root.vse("image", "edit", "debian-12", "--tag", "bad", "--", "/bin/sh", "-c", "echo sorry >&2; exit 7");
        assertThat(failed.err()).contains("exit code 7", "sorry", "[IMAGE_BUILD_FAILED]");
        assertThat(failed.exitCode()).isNotZero();
        assertThat(root.vse("image", "edit", "debian-12", "--tag", "edited", "--", "/bin/true")
                        .err())
                .contains("[IMAGE_EXISTS]");
        Finished large = root.vse(
                "image",
                "edit",
                "debian-12",
                "--tag",
                "bad",
                "--build-size",
                "16MiB",
                "--",
                "/bin/dd",
                "if=/dev/urandom",
                "of=/root/large",
                "bs=1M",
                "count=500");
        assertThat(large.err()).contains("the changes are too large; nothing was kept", "allowed: 16 MiB");
        assertThat(new ImageStore(images).list())
                .extracting(Image::reference)
                .contains("debian-12:edited", "debian-12:latest")
                .doesNotContain("debian-12:bad");
        assertThat(site.run().resolve("edit/m")).doesNotExist();
        assertThat(site.state().resolve("edit/m")).doesNotExist();

        Image kept = new ImageStore(images).resolve("debian-12:edited");
        assertWhole(kept);

        String imported = root.vse(
                        "image",
                        "import",
                        kept.disk().toString(),
                        "--format",
                        "qcow2",
                        "--name",
                        "mine:1",
                        "--kernels-of",
                        "debian-12")
                .expect(0)
                .out()
                .strip();
        Desk home = site.desk(site.alice());
        home.script("imported.sh", script("mine:1", "[ ! -e /etc/issue ] && cat /etc/note; sleep 600"));
        Started run = home.start("run", "imported.sh").awaitOut("a note");
        assertThat(root.vse("image", "rm", "mine:1").expect(125).err()).contains("[IMAGE_IN_USE]", run.job());
        root.vse("image", "tag", "--force", "debian-12", "mine:1").expect(0);
        assertThat(root.vse("image", "gc", "--cached", "--format", "json")
                        .expect(0)
                        .out())
                .as("a running job's image stays, whatever its tag means by now")
                .doesNotContain(imported);
        assertThat(root.vse("job", "show", run.job()).expect(0).out()).contains(imported);
        root.vse("job", "cancel", run.job()).expect(0);
        run.finish();
        site.awaitIdle();
        assertThat(root.vse("image", "gc", "--format", "json").expect(0).out()).contains(imported);
        root.vse("image", "verify", "--all").expect(0);
    }

    @Test
    void aDiskBootsByItsOwnLoader() throws IOException {
        Desk root = site.root();
        Path work = Files.createDirectory(site.state().resolve("../scratch/loader"));
        Image base = tests().resolve("debian-12");
        new CommandRunner()
                .run(Command.of(
                                Path.of("src/disk/loader-disk.sh")
                                        .toAbsolutePath()
                                        .toString(),
                                base.disk().resolveSibling("").toRealPath().toString(),
                                work.toRealPath().toString())
                        .withTimeout(Duration.ofMinutes(2)))
                .orThrow("making a disk that boots itself");
        String digest = root.vse(
                        "image",
                        "import",
                        work.resolve("disk.raw").toString(),
                        "--format",
                        "raw",
                        "--name",
                        "own",
                        "--boot",
                        "disk",
                        "--provides",
                        "nfs")
                .expect(0)
                .out()
                .strip();
        Staging.removeTree(work);
        assertThat(root.vse("image", "inspect", "own").expect(0).out()).contains("boot              disk", digest);
        // The kernel by which the node finds out about KVM.
        root.vse(
                        "image",
                        "pull",
                        "debian-12",
                        "--from",
                        tests().root().toRealPath().toString())
                .expect(0);

        Desk home = site.desk(site.alice());
        home.script("own.sh", script("own", "echo hello from $(hostname) as $(id -un), on $(df --output=source /)"));
        Finished run = home.vse("run", "own.sh").expect(0);
        assertThat(run.out()).contains("hello from vm0 as " + site.alice().name(), "/dev/vda1");
        home.script("told.sh", script("own boot=quiet", "true"));
        assertThat(home.vse("run", "told.sh").err())
                .contains("boots from its disk, whose kernel cannot be told 'boot=quiet'", "[DIRECTIVE_CONFLICT]");
    }

    private static ImageStore tests() {
        return new ImageStore(Path.of(System.getProperty("vse.test.images", "")));
    }

    /** The guest's file system was settled before its machine ended. */
    private static void assertWhole(Image image) throws IOException {
        CommandRunner commands = new CommandRunner();
        Path raw = Files.createTempFile("vse-edited", ".raw");
        commands.run(Command.of("qemu-img", "convert", "-O", "raw", image.disk().toString(), raw.toString()))
                .orThrow("reading the disk");
        assertThat(commands.run(Command.of("e2fsck", "-fn", raw.toString())).exitCode())
                .isZero();
        Files.delete(raw);
    }
}
