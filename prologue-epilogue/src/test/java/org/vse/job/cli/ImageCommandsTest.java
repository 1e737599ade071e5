package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.imagestore.DiskBoot;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Provides;
import org.vse.job.client.FakeVsed;
import org.vse.job.client.Json;

@Timeout(60)
class ImageCommandsTest {
    @TempDir
    Path dir;

    private FakeVsed vsed;
    private Path images;

    @BeforeEach
    void start() throws IOException {
        vsed = new FakeVsed(new Shell(dir).socket());
        vsed.on("GET /v1/images", call -> call.json(200, "{\"images\":[],\"inUse\":{}}"));
        images = dir.resolve("state/images");
        byte[] disk = new byte[1 << 20];
        new Random(3).nextBytes(disk);
        Files.write(dir.resolve("disk.raw"), disk);
        Files.writeString(dir.resolve("kernel"), "kernel");
    }

    @AfterEach
    void stop() throws IOException {
        vsed.close();
        assertThat(vsed.errors()).isEmpty();
    }

    private record Ran(int code, String out, String err) {}

    private Ran run(String... arguments) {
        Shell shell = new Shell(dir);
        int code = shell.run(arguments);
        return new Ran(code, shell.out(), shell.err());
    }

    private Ran add(String name, String... more) {
        String[] arguments = {
            "image",
            "import",
            "disk.raw",
            "--format",
            "raw",
            "--name",
            name,
            "--kernel",
            "kernel",
            "--initrd",
            "kernel",
            "--command-line",
            "root=/dev/vda",
            "--provides",
            "nfs,9p",
            "--label",
            "title=One"
        };
        String[] all = java.util.Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return run(all);
    }

    @Test
    void anImportedDiskIsAnImage() {
        Ran ran = add("mine:1");
        assertThat(ran.code()).as(ran.err()).isZero();
        Image image = new ImageStore(images).resolve("mine:1");
        assertThat(ran.out()).isEqualTo(image.digest() + "\n");
        assertThat(image.virtualSizeBytes()).isEqualTo(1 << 20);

        String shown = run("image", "inspect", "mine:1").out();
        assertThat(shown).contains("labels title      One", "tags              mine:1", "boot              kernel");
        var json = Json.readObject(
                run("image", "inspect", "mine:1", "--format", "json").out().strip());
        assertThat(json.text("digest")).contains(image.digest());
        assertThat(json.objects("kernels")).hasSize(1);

        assertThat(run("image", "verify", "--all").out()).contains(image.digest(), "good");
        assertThat(run("image", "export", "mine:1", "other").out()).contains(image.digest());
        assertThat(run("image", "pull", "mine:2", "--from", "other").err()).contains("IMAGE_UNKNOWN");
        assertThat(new ImageStore(dir.resolve("other")).resolve("mine:1").digest())
                .isEqualTo(image.digest());
    }

    @Test
    void aDiskMayBootItself() {
        Ran ran = run(
                "image",
                "import",
                "disk.raw",
                "--format",
                "raw",
                "--name",
                "own",
                "--boot",
                "disk",
                "--provides",
                "nfs");
        assertThat(ran.code()).as(ran.err()).isZero();
        Image image = new ImageStore(images).resolve("own");
        assertThat(image.kernels()).isEmpty();
        assertThat(image.diskBoot()).contains(new DiskBoot(Set.of(Provides.NFS)));
        assertThat(run("image", "inspect", "own").out()).contains("boot              disk", "provides          nfs");
        assertThat(run("image", "verify", "--all").out()).contains("good");
        assertThat(run("image", "export", "own", "other").out()).contains(image.digest());
        assertThat(run("image", "tag", "own", "own:2").code()).isZero();
        assertThat(run("image", "diff", add("mine").out().strip(), "own").out()).contains("boot: kernels | disk [nfs]");
        Ran both = add("both", "--boot", "disk");
        assertThat(both.code()).isEqualTo(2);
        assertThat(both.err()).contains("a disk that boots itself takes no kernel");
    }

    @Test
    void whatBootsItIsToBeGiven() {
        Ran none = run("image", "import", "disk.raw", "--format", "raw", "--name", "mine");
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.err()).contains("--kernels-of IMAGE");
        assertThat(add("mine", "--kernels-of", "other").code()).isEqualTo(2);
        assertThat(run("image", "import", "disk.raw", "--name", "mine").err()).contains("--format");
        assertThat(add("../mine").err()).contains("is no NAME:TAG").contains("USAGE");
        assertThat(add("mine", "--provides", "smb").err()).contains("there is no share 'smb'");
        Ran vmdk = run("image", "import", "disk.raw", "--format", "vmdk", "--name", "x", "--kernels-of", "y");
        assertThat(vmdk.err()).contains("'vmdk' are not imported", "allowed: qcow2, raw");
        assertThat(images).doesNotExist();
    }

    @Test
    void theVariableForListingsIsNotTheDisksFormat() {
        Shell shell = new Shell(dir).with("VSE_FORMAT", "json");
        assertThat(shell.run("image", "import", "disk.raw", "--name", "x", "--kernels-of", "y"))
                .isEqualTo(2);
        assertThat(shell.err()).contains("--format").doesNotContain("'json'");
    }

    @Test
    void aTagMovesByForceOnly() throws IOException {
        String first = add("mine").out().strip();
        Files.write(dir.resolve("disk.raw"), new byte[1 << 20]);
        Ran refused = add("mine");
        assertThat(refused.err()).contains("[IMAGE_EXISTS]", "it is", first);
        assertThat(refused.code()).isEqualTo(125);
        String second = add("mine", "--force").out().strip();
        assertThat(second).startsWith("sha256:").isNotEqualTo(first);
        assertThat(run("image", "tag", first, "mine").err()).contains("[IMAGE_EXISTS]");
        assertThat(run("image", "tag", first, "mine:old").out()).contains("mine:old", first);
        assertThat(run("image", "diff", first, second).code()).isEqualTo(1);
        assertThat(run("image", "diff", first, "mine:old")).isEqualTo(new Ran(0, "", ""));
    }

    @Test
    void whatJobsUseIsAskedForAndStays() {
        String digest = add("mine").out().strip();
        vsed.on(
                "GET /v1/images",
                call -> call.json(200, "{\"images\":[],\"inUse\":{\"" + digest + "\":[\"local-7\"]}}"));
        assertThat(run("image", "rm", "mine").err()).contains("[IMAGE_IN_USE]", "local-7");
        vsed.on("GET /v1/images", call -> call.json(200, "{\"images\":[],\"inUse\":{}}"));
        Ran removed = run("image", "rm", "mine", "--format", "json");
        assertThat(removed.out()).contains("\"what\":\"mine:latest\"", "\"what\":\"" + digest + "\"");
        assertThat(removed.err()).contains("1 MiB freed");
        assertThat(run("image", "gc").err()).contains("0 MiB freed");
    }

    @Test
    void withoutADaemonTheFilesOfJobsCount() throws IOException {
        String digest = add("mine").out().strip();
        vsed.close();
        Path job = Files.createDirectories(dir.resolve("state/jobs/tag"));
        Files.writeString(job.resolve("job.json"), "{\"id\":\"local-9\",\"digest\":\"" + digest + "\"}");
        Files.writeString(job.resolve("journal"), "{\"kind\":\"STATE\",\"state\":\"ADMITTED\"}\n");
        assertThat(run("image", "rm", "mine").err()).contains("[IMAGE_IN_USE]", "local-9");
        Files.writeString(job.resolve("journal"), "{\"kind\":\"STATE\",\"state\":\"SETTLED\"}\n");
        assertThat(run("image", "rm", "mine").code()).isZero();
    }

    @Test
    void damageIsAnExitCode() throws IOException {
        add("mine");
        Path disk = new ImageStore(images).resolve("mine").disk();
        byte[] bytes = Files.readAllBytes(disk);
        bytes[bytes.length / 2] ^= 1;
        Files.write(disk, bytes);
        Ran found = run("image", "verify", "--all", "--format", "json");
        assertThat(found.code()).isEqualTo(1);
        assertThat(found.out()).contains("\"state\":\"damaged\"", "chunk 0 of its disk", disk.toString());
        assertThat(run("image", "verify", "mine").code()).isEqualTo(1);
        assertThat(run("image", "verify").code()).isEqualTo(2);
    }
}
