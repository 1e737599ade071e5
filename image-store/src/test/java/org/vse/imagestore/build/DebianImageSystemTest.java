package org.vse.imagestore.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageDifference;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Retag;
import org.vse.imagestore.Staging;
import org.vse.imagestore.recipe.Recipe;
import org.vse.imagestore.recipe.RecipeParser;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * Builds the example image as root from the distribution's packages, and boots it. {@code -Dvse.image.store=DIR} keeps the
 * store, and takes the image from it when it is there.
 */
@Tag("system")
@Tag("images")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DebianImageSystemTest {
    private final CommandRunner runner = new CommandRunner();
    private Path temp = Path.of("/nonexistent");
    private Path shelf = temp;
    private ImageStore store = new ImageStore(temp);

    @BeforeAll
    void buildForAll() throws IOException {
        temp = Files.createTempDirectory("vse-image");
        shelf = Files.createDirectory(temp.resolve("shelf"));
        store = new ImageStore(Path.of(
                System.getProperty("vse.test.images", temp.resolve("store").toString())));
        build(new ImageBuilder(runner, store, shelf), "debian-12");
    }

    @AfterAll
    void clean() throws IOException {
        Staging.removeTree(temp);
    }

    private Image build(ImageBuilder builder, String name) {
        Recipe recipe = RecipeParser.parse(Path.of("../examples/images").resolve(name + ".yaml"));
        List<String> steps = new ArrayList<>();
        Image image = builder.build(recipe, Retag.MOVE, (what, expected) -> steps.add(what));
        assertThat(steps).hasSizeGreaterThanOrEqualTo(7);
        return image;
    }

    /**
     * The second build of one image has nothing in common with the first; beside it, for it leaves a core idle, the others
     * are built on top of the first. They stay in the store: the example jobs of later modules boot them.
     */
    @Test
    void twoBuildsAreOneImageAndTheOtherExamplesAreBuilt(@TempDir Path elsewhere) throws Exception {
        Image there = store.resolve("debian-12");
        store.verify(there);
        ImageStore second = new ImageStore(elsewhere);
        CompletableFuture<Image> again =
                CompletableFuture.supplyAsync(() -> build(new ImageBuilder(runner, second), "debian-12"));
        for (String name : List.of("debian-12-mpi", "debian-12-python")) {
            Image image = build(new ImageBuilder(runner, store, shelf), name);
            store.verify(image);
            assertThat(store.resolve(name)).isEqualTo(image);
            assertThat(Files.size(image.disk())).isLessThan(250L << 20);
        }
        Image other = again.get(20, TimeUnit.MINUTES);
        assertThat(ImageDifference.between(there, other)).isEmpty();
        assertThat(other.digest()).isEqualTo(there.digest());
    }

    static Stream<String> kernels() {
        return Stream.of("cloud", "generic");
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void theAgentAnswersAndPowersOff(String name) throws Exception {
        Image image = store.resolve("debian-12");
        Kernel kernel = image.kernels().stream()
                .filter(k -> k.name().equals(name))
                .findFirst()
                .orElseThrow();
        Path directory = Files.createDirectory(temp.resolve(name));
        Path overlay = directory.resolve("overlay.qcow2");
        OverlayDisk.create(runner, image, overlay, OptionalLong.empty());
        Path socket = directory.resolve("ga");
        Path console = directory.resolve("console");
        List<String> argv = new ArrayList<>(List.of("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg"));
        argv.addAll(List.of("-cpu", "max", "-m", "512", "-smp", "1", "-nodefaults", "-no-reboot", "-display", "none"));
        argv.addAll(List.of(
                "-serial", "file:" + console, "-kernel", kernel.vmlinuz().toString()));
        argv.addAll(List.of("-initrd", kernel.initrd().toString(), "-append", kernel.commandLine()));
        argv.addAll(List.of("-drive", "file=" + overlay + ",if=none,id=d,format=qcow2"));
        argv.addAll(List.of("-device", "virtio-blk-pci,drive=d", "-device", "virtio-serial-pci"));
        argv.addAll(List.of("-chardev", "socket,id=ga,server=on,wait=off,path=" + socket));
        argv.addAll(List.of("-device", "virtserialport,chardev=ga,name=org.qemu.guest_agent.0"));
        argv.addAll(List.of("-chardev", "file,id=out,path=" + directory.resolve("stdout")));
        argv.addAll(List.of("-device", "virtserialport,chardev=out,name=org.vse.stdout"));
        Process qemu = runner.start(Command.of(argv), directory.resolve("qemu.log"));
        try (SocketChannel agent = connect(socket, qemu)) {
            BufferedReader replies =
                    new BufferedReader(new InputStreamReader(Channels.newInputStream(agent), StandardCharsets.UTF_8));
            assertThat(ask(agent, replies, "{\"execute\":\"guest-ping\"}", Duration.ofMinutes(2)))
                    .isEqualTo("{\"return\": {}}");
            String script =
                    "port=/dev/$(basename $(dirname $(grep -lx org.vse.stdout /sys/class/virtio-ports/*/name))); "
                            + "echo $(uname -r) > $port; modprobe nfsv4 && "
                            + "[ -x /usr/bin/setpriv -a -x /usr/bin/setsid -a -x /usr/sbin/ip ] && "
                            + (name.equals("generic") ? "modprobe 9p && modprobe 9pnet_virtio && " : "")
                            + "/usr/lib/vse/start-sshd && echo good > $port; "
                            + "exec shutdown -P now";
            String exec = "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\"" + script
                    + "\"]}}";
            assertThat(ask(agent, replies, exec, Duration.ofSeconds(30))).contains("\"pid\"");
            assertThat(qemu.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            qemu.destroyForcibly();
        }
        assertThat(Files.readString(directory.resolve("stdout")))
                .contains("amd64")
                .endsWith("good\n");
        assertThat(Files.readString(console)).contains("Linux version", "vse: root disk mounted", "Power down");
    }

    private static String ask(SocketChannel agent, BufferedReader replies, String request, Duration within)
            throws Exception {
        agent.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
        return CompletableFuture.supplyAsync(() -> {
                    try {
                        return String.valueOf(replies.readLine());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .get(within.toSeconds(), TimeUnit.SECONDS);
    }

    private static SocketChannel connect(Path socket, Process qemu) throws IOException {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (qemu.isAlive() && System.nanoTime() < deadline) {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                return channel;
            } catch (IOException notYet) {
                channel.close();
                Thread.onSpinWait();
            }
        }
        throw new IOException("no agent socket at " + socket);
    }
}
