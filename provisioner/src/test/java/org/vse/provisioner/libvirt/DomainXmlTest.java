package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.HostTopology;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.VmSpec.Channel;
import org.vse.provisioner.VmSpec.Nic;
import org.vse.provisioner.VmSpec.SharedDirectory;
import org.w3c.dom.Element;

/** Golden files: {@code src/test/resources/domain-xml}; {@code -Dgolden.write=true} writes them anew. */
class DomainXmlTest {
    private static final Path GOLDEN = Path.of("src/test/resources/domain-xml");

    private static final HostTopology HOST = topology(1);

    private static HostTopology topology(int memories) {
        return new HostTopology(IntStream.range(0, 16)
                .mapToObj(number -> new HostTopology.Processor(number, number % memories, 0, number))
                .toList());
    }

    @Test
    void memoryComesFromTheNodesOfTheCores() {
        Builder builder = new Builder("a").cores(5, 3);
        assertThat(DomainXml.of(builder.build(), topology(4)))
                .contains("<numatune>", "<memory mode=\"strict\" nodeset=\"1,3\"/>");
        assertThat(DomainXml.of(builder.build(), topology(1))).doesNotContain("numatune");
    }

    static Stream<String> cases() {
        return specs().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isAsItWas(String name) throws IOException {
        String xml = DomainXml.of(specNamed(name), HOST);
        Path golden = GOLDEN.resolve(name + ".xml");
        if (Boolean.getBoolean("golden.write")) {
            Files.createDirectories(GOLDEN);
            Files.writeString(golden, xml);
        }
        assertThat(xml).isEqualTo(Files.readString(golden));
    }

    @Test
    void everyGoldenFileHasItsCase() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(
                            cases().map(name -> name + ".xml").toList());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyValueComesBackFromTheXml(String name) throws Exception {
        VmSpec spec = specNamed(name);
        Element domain = XmlElement.parse(DomainXml.of(spec, HOST));
        if (spec.boot() instanceof VmSpec.Boot.Direct direct) {
            assertThat(text(domain, "cmdline")).isEqualTo(direct.commandLine());
            assertThat(text(domain, "kernel")).isEqualTo(direct.kernel().toString());
        } else {
            assertThat(domain.getElementsByTagName("kernel").getLength()).isZero();
        }
        Element disk = (Element) domain.getElementsByTagName("disk").item(0);
        assertThat(((Element) disk.getElementsByTagName("source").item(0)).getAttribute("file"))
                .isEqualTo(spec.disk().toString());
        Element serial = (Element) domain.getElementsByTagName("serial").item(0);
        assertThat(((Element) serial.getElementsByTagName("source").item(0)).getAttribute("path"))
                .isEqualTo(spec.console().toString());
    }

    @Test
    void theLabelComesBackFromTheMetadata() throws Exception {
        VmLabel label = hostile().label();
        String xml = DomainXml.of(hostile(), HOST);
        String metadata = xml.substring(xml.indexOf("<vse:machine"), xml.indexOf("</metadata>"))
                .strip();
        assertThat(DomainXml.labelOf(metadata)).isEqualTo(label);
    }

    @Test
    void aDamagedLabelIsNamed() {
        assertThatThrownBy(() -> DomainXml.labelOf("<vse:machine xmlns:vse='urn:x-vse:machine:1' attempt='one'/>"))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("attempt='one'");
        assertThatThrownBy(() -> DomainXml.labelOf("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"))
                .isInstanceOf(VseException.class);
    }

    @Test
    void aControlCharacterIsRefusedByName() {
        assertThatThrownBy(() -> DomainXml.of(
                        new Builder("a").disk("/srv/a\u0007b.qcow2").build(), HOST))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("/srv/a?b.qcow2")
                .hasMessageContaining("U+0007");
    }

    @Test
    void aRelativePathIsADefect() {
        assertThatThrownBy(() -> DomainXml.of(new Builder("a").disk("a.qcow2").build(), HOST))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void moreDevicesThanTheBusHasAreRefused() {
        Builder builder = new Builder("a");
        builder.shares = Collections.nCopies(27, new SharedDirectory("s", Path.of("/srv")));
        assertThatThrownBy(() -> DomainXml.of(builder.build(), HOST))
                .isInstanceOfSatisfying(
                        VseException.class,
                        failure -> assertThat(failure.code()).isEqualTo(ErrorCode.NOT_SUPPORTED));
    }

    @Test
    void anOrdinaryUsersMachineHasNoLabelOfAnotherUserAndItsAgentOnOurPath() {
        VmSpec spec = new Builder("a").build();
        assertThat(DomainXml.of(spec, HOST)).contains("<seclabel").doesNotContain("mode=\"bind\"");
        assertThat(DomainXml.of(spec, HOST, Path.of("/run/x/a/m")))
                .doesNotContain("<seclabel")
                .contains("<source mode=\"bind\" path=\"/run/x/a/m\"/>");
    }

    @Test
    void rootSharesNothing() {
        Builder builder = new Builder("a");
        builder.uid = 0;
        DomainXml.of(builder.build(), HOST);
        builder.shares = List.of(new SharedDirectory("s", Path.of("/srv")));
        assertThatThrownBy(() -> DomainXml.of(builder.build(), HOST))
                .isInstanceOfSatisfying(
                        VseException.class,
                        failure -> assertThat(failure.code()).isEqualTo(ErrorCode.SHARE_ROOT));
    }

    private static String text(Element domain, String name) {
        return domain.getElementsByTagName(name).item(0).getTextContent();
    }

    private static VmSpec specNamed(String name) {
        return Objects.requireNonNull(specs().get(name));
    }

    private static Map<String, VmSpec> specs() {
        Map<String, VmSpec> specs = new TreeMap<>();
        specs.put("minimal-tcg", new Builder("vse-1-0").build());
        specs.put("minimal-kvm", new Builder("vse-1-0").kvm().build());
        specs.put("pinned", new Builder("vse-2-0").cores(7, 2, 3).build());
        specs.put("oversubscribed", new Builder("vse-2-0").cores(2, 2).build());
        Builder channels = new Builder("vse-3-0").terminal("/run/vse/j/3/tty");
        channels.channels = List.of(
                new Channel("vse.stdout", Path.of("/var/lib/vse/jobs/3/stdout")),
                new Channel("vse.stderr", Path.of("/var/lib/vse/jobs/3/stderr")));
        specs.put("channels-and-terminal", channels.build());
        Builder tap = new Builder("vse-4-0");
        tap.nics = List.of(new Nic.Tap("vse4t0", "52:54:00:00:00:01"), new Nic.Tap("vse4t1", "52:54:00:00:00:02"));
        specs.put("taps", tap.build());
        Builder isolated = new Builder("vse-5-0");
        isolated.nics = List.of(new Nic.Isolated("52:54:00:00:00:03"));
        specs.put("isolated", isolated.build());
        Builder mixed = new Builder("vse-6-0").kvm().cores(0, 1);
        mixed.nics = List.of(new Nic.Tap("vse6t0", "52:54:00:00:00:04"), new Nic.Isolated("52:54:00:00:00:05"));
        mixed.shares = List.of(
                new SharedDirectory("home", Path.of("/home/alice")), new SharedDirectory("work", Path.of("/scratch")));
        specs.put("networks-and-shares", mixed.build());
        Builder devices = new Builder("vse-8-0").kvm().cores(4);
        devices.nics = List.of(new Nic.Tap("vse8t0", "52:54:00:00:00:06"));
        devices.devices = List.of("0000:3b:00.0", "0001:af:1f.7");
        specs.put("host-devices", devices.build());
        specs.put("boots-itself", new Builder("vse-9-0").bootsItself().build());
        specs.put("hostile", hostile());
        return specs;
    }

    private static VmSpec hostile() {
        Builder hostile = new Builder("vse-7-0")
                .disk("/srv/a \"b\" 'c' <d> & e\n\tf,g=h;]]>/übergröße-\ud83d\ude80.qcow2")
                .terminal("/run/vse/<t>&\"");
        hostile.label = new VmLabel("o\"'<>&", "12[7].pbs <vse:machine/> \u00e9\n", 2, 3);
        hostile.commandLine = "root=/dev/vda a=\"<b>\" c='&amp;' \u00fc </cmdline>";
        hostile.channels = List.of(new Channel("a'b\"<c>&", Path.of("/srv/out\nput,append=off")));
        hostile.shares = List.of(new SharedDirectory("t'\"<>&", Path.of("/srv/][<x>&\r\n")));
        return hostile.build();
    }

    private static final class Builder {
        private final VmName name;
        private VmLabel label = new VmLabel("0b5e2a", "local-1", 1, 0);
        private Accelerator accelerator = Accelerator.TCG;
        private List<Integer> cores = List.of();
        private Path disk = Path.of("/var/lib/vse/jobs/1/disk.qcow2");
        private String commandLine = "root=/dev/vda rw console=ttyS0 quiet";
        private boolean bootsItself;
        private List<Nic> nics = List.of();
        private List<Channel> channels = List.of();
        private List<SharedDirectory> shares = List.of();
        private @Nullable Path terminal;
        private List<String> devices = List.of();
        private int uid = 20001;

        Builder(String name) {
            this.name = new VmName(name);
        }

        Builder kvm() {
            accelerator = Accelerator.KVM;
            return this;
        }

        Builder bootsItself() {
            bootsItself = true;
            return this;
        }

        Builder cores(Integer... each) {
            cores = List.of(each);
            return this;
        }

        Builder disk(String path) {
            disk = Path.of(path);
            return this;
        }

        Builder terminal(String path) {
            terminal = Path.of(path);
            return this;
        }

        VmSpec build() {
            return new VmSpec(
                    name,
                    UUID.nameUUIDFromBytes(name.value().getBytes(StandardCharsets.UTF_8)),
                    label,
                    accelerator,
                    Math.max(1, cores.size()),
                    cores,
                    512 << 20,
                    disk,
                    bootsItself
                            ? new VmSpec.Boot.Loader()
                            : new VmSpec.Boot.Direct(
                                    Path.of("/var/cache/vse/kernel"), Path.of("/var/cache/vse/initrd"), commandLine),
                    uid,
                    uid,
                    nics,
                    channels,
                    shares,
                    Path.of("/var/lib/vse/jobs/1/console"),
                    terminal,
                    devices);
        }
    }
}
