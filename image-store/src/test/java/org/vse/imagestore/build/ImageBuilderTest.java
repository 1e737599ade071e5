package org.vse.imagestore.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Retag;
import org.vse.imagestore.recipe.Recipe;
import org.vse.imagestore.recipe.RecipeParser;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

class ImageBuilderTest {
    private static final String RECIPE = """
            name: tiny
            size: 16MiB
            suite: none
            remove: ['/etc/ssh/ssh_host_*', /etc/hostname]
            init: /bin/busybox
            files:
              - {to: /lib/vse/boot, from: boot, mode: 755}
            initramfs: {busybox: /bin/busybox, init: boot}
            kernels:
              - name: cloud
                package: linux-image-amd64
                provides: [nfs]
                command-line: quiet
                early: [virtio-blk, ext4]
            """;

    @TempDir
    Path temp;

    private final CommandRunner runner = new CommandRunner();
    private final List<String> steps = new ArrayList<>();

    @BeforeEach
    void tools() throws IOException {
        for (String tool : List.of("/usr/sbin/mke2fs", "/usr/sbin/debugfs", "/usr/bin/qemu-img", "/usr/sbin/depmod")) {
            assertThat(Path.of(tool)).as("./dev test installs it").isExecutable();
        }
        Files.writeString(temp.resolve("boot"), "#!/bin/sh\n");
    }

    private Image build(String store, String recipe, PackageSource packages) {
        return build(store, recipe, packages, Retag.REFUSE);
    }

    private Image build(String store, String recipe, PackageSource packages, Retag retag) {
        Recipe parsed = RecipeParser.parse(temp.resolve("tiny.yaml"), recipe);
        return new ImageBuilder(runner, new ImageStore(temp.resolve(store)), packages, () -> Long.MAX_VALUE)
                .build(parsed, retag, (what, expected) -> steps.add(what));
    }

    private VseException fails(String store, String recipe, PackageSource packages) {
        VseException e = catchThrowableOfType(VseException.class, () -> build(store, recipe, packages));
        assertThat(e).isNotNull();
        return e;
    }

    private static void assertNothingLeft(Path store) {
        assertThat(store.resolve("incoming")).isEmptyDirectory();
        assertThat(store.resolve("images")).isEmptyDirectory();
        assertThat(store.resolve("tags")).isEmptyDirectory();
    }

    @Test
    void theSameRecipeGivesTheSameDigestAtAnotherTime() throws IOException {
        Image first = build("a", RECIPE, new FakePackages(Instant.parse("2026-11-21T08:00:00Z")));
        Image second = build("b", RECIPE, new FakePackages(Instant.parse("2026-11-22T09:30:00Z")));
        assertThat(second.digest()).isEqualTo(first.digest());
        assertThat(Files.mismatch(first.disk(), second.disk())).isEqualTo(-1);
        assertThat(steps).startsWith("installing 0 packages on none minbase").contains("preparing kernel cloud");
        assertThat(temp.resolve("a/incoming")).isEmptyDirectory();
        assertThat(temp.resolve("a/logs")).isDirectoryContaining("glob:**tiny-*.log");
    }

    @Test
    void theDiskHoldsTheTree() throws IOException {
        Image image = build("a", RECIPE, new FakePackages(Instant.EPOCH));
        Path raw = temp.resolve("raw");
        runner.run(Command.of("qemu-img", "convert", "-O", "raw", image.disk().toString(), raw.toString()))
                .orThrow("reading the disk");
        assertThat(Files.size(raw)).isEqualTo(16L << 20);
        assertThat(debugfs(raw, "cat /usr/lib/vse/boot")).isEqualTo("#!/bin/sh\n");
        assertThat(debugfs(raw, "stat /sbin/init")).contains("Fast link dest: \"/bin/busybox\"");
        assertThat(debugfs(raw, "ls -p /etc/ssh")).contains("sshd_config").doesNotContain("ssh_host_");
        assertThat(debugfs(raw, "ls -p /usr/lib/modules/1.0-1-amd64/kernel"))
                .contains("nfsv4.ko", "virtio_blk.ko")
                .doesNotContain("unused.ko");
        assertThat(debugfs(raw, "stat /usr/lib/vse/boot"))
                .contains("Mode:  0755")
                .contains("2026");
        assertThat(runner.run(Command.of("e2fsck", "-fn", raw.toString())).exitCode())
                .isZero();
        assertThat(((Kernel) image.bootFor(Set.of(Provides.NFS))).commandLine()).isEqualTo("quiet");
        assertThat(Files.readString(image.kernels().get(0).vmlinuz())).isEqualTo("not really a kernel");
    }

    private String debugfs(Path raw, String request) {
        return runner.run(Command.of("debugfs", "-R", request, raw.toString()))
                .orThrow("reading the file system")
                .stdout();
    }

    @Test
    void aFullDiskIsSaidBeforeAnythingIsDone() {
        ImageStore store = new ImageStore(temp.resolve("a"));
        Recipe recipe = RecipeParser.parse(temp.resolve("tiny.yaml"), RECIPE);
        ImageBuilder builder =
                new ImageBuilder(runner, store, new FakePackages(Instant.EPOCH), () -> ImageBuilder.SPACE_NEEDED - 1);
        VseException e = catchThrowableOfType(
                VseException.class, () -> builder.build(recipe, Retag.MOVE, (what, expected) -> steps.add(what)));
        assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL);
        assertThat(e.facts()).containsEntry("needed", "3072 MiB").containsEntry("free", "3071 MiB");
        assertThat(steps).isEmpty();
        assertNothingLeft(store.root());
    }

    @Test
    void aFailedCommandLeavesItsLogOnly() throws IOException {
        VseException e = fails("a", RECIPE, new FakePackages(Instant.EPOCH) {
            @Override
            public void installPackages(Recipe recipe, Path root, Path scratch, BuildLog log) {
                super.installPackages(recipe, root, scratch, log);
                log.run("installing packages", Command.of("sh", "-c", "echo no such suite >&2; exit 3"));
            }
        });
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_BUILD_FAILED);
        assertThat(e.what()).isEqualTo("installing packages failed");
        assertThat(e.facts()).containsEntry("said", "no such suite");
        assertThat(Files.readString(Path.of(e.facts().getOrDefault("log", "")))).contains("no such suite");
        assertNothingLeft(temp.resolve("a"));
    }

    @Test
    void aKernelWithoutAPromisedModuleIsRefused() {
        VseException e = fails("a", RECIPE.replace("[nfs]", "[nfs, 9p]"), new FakePackages(Instant.EPOCH));
        assertThat(e.what()).isEqualTo("kernel 'cloud' has no module '9p'");
        assertThat(fails("a", RECIPE.replace("linux-image-amd64", "linux-image-arm64"), new FakePackages(Instant.EPOCH))
                        .what())
                .isEqualTo("package 'linux-image-arm64' did not bring exactly one kernel");
        assertThat(fails("a", RECIPE + "    unpacked: true\n", new FakePackages(Instant.EPOCH))
                        .what())
                .contains("is not a Linux bzImage");
        assertNothingLeft(temp.resolve("a"));
    }

    @Test
    void aGuestLinkNeverLeadsOutOfTheTree() throws IOException {
        Path root = Files.createDirectories(temp.resolve("tree/etc")).resolveSibling("");
        Path outside = Files.createDirectory(temp.resolve("outside"));
        Files.createSymbolicLink(root.resolve("abs"), outside);
        Files.createSymbolicLink(root.resolve("up"), Path.of("../../outside"));
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        GuestTree tree = new GuestTree(root);
        tree.put(new Recipe.GuestFile.Copy("/abs/x", temp.resolve("boot"), 0644));
        tree.put(new Recipe.GuestFile.Copy("/up/y", temp.resolve("boot"), 0644));
        assertThat(outside).isEmptyDirectory();
        assertThat(root.resolve(outside.toString().substring(1)).resolve("x")).exists();
        assertThat(root.resolve("outside/y")).exists();
        assertThat(catchThrowableOfType(IOException.class, () -> tree.place("/loop/z")))
                .hasMessageContaining("too many symbolic links");
        Files.createSymbolicLink(root.resolve("etc/host"), temp.resolve("boot"));
        tree.remove("/etc/h*");
        assertThat(root.resolve("etc")).isEmptyDirectory();
        assertThat(temp.resolve("boot")).exists();
    }

    /** A root directory and a kernel of a few files, with times of the given moment. */
    private static class FakePackages implements PackageSource {
        private final Instant now;

        FakePackages(Instant now) {
            this.now = now;
        }

        @Override
        public void installPackages(Recipe recipe, Path root, Path scratch, BuildLog log) {
            try {
                Files.createDirectories(root.resolve("usr/bin"));
                Files.createDirectories(root.resolve("usr/sbin"));
                Files.createDirectories(root.resolve("usr/lib"));
                Files.createDirectories(root.resolve("etc/ssh"));
                for (String link : List.of("bin", "sbin", "lib")) {
                    Files.createSymbolicLink(root.resolve(link), Path.of("usr", link));
                }
                Files.writeString(root.resolve("usr/bin/busybox"), "busybox");
                Files.writeString(root.resolve("etc/ssh/ssh_host_rsa_key"), now.toString());
                Files.writeString(root.resolve("etc/ssh/sshd_config"), "");
                Files.writeString(root.resolve("etc/hostname"), now.toString());
                try (Stream<Path> files = Files.walk(root)) {
                    for (Path file : (Iterable<Path>) files.filter(f -> !Files.isSymbolicLink(f))::iterator) {
                        Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.from(now));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void unpackKernels(Recipe recipe, Path root, Path scratch, BuildLog log) {
            try {
                Path boot = Files.createDirectories(root.resolve("boot"));
                Files.writeString(boot.resolve("vmlinuz-1.0-1-amd64"), "not really a kernel");
                Files.writeString(boot.resolve("vmlinuz-1.0-1-cloud-amd64"), "another");
                Path modules = Files.createDirectories(root.resolve("lib/modules/1.0-1-amd64/kernel"));
                for (String module : List.of("virtio_blk", "ext4", "nfsv4", "unused")) {
                    Files.writeString(modules.resolve(module + ".ko"), "not really a module");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
