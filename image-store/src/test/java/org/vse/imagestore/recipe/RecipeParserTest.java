package org.vse.imagestore.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Provides;
import org.vse.yaml.YamlReader;

class RecipeParserTest {
    static final String GOOD = """
            name: tiny
            labels: {title: 'A tiny one'}
            size: 64MiB
            suite: bookworm
            packages: [busybox-static]
            exclude: [/usr/share/man/*]
            remove: [/etc/hostname]
            init: /bin/busybox
            files:
              - {to: /etc/a, from: a, mode: 755}
              - {to: /etc/b, link: ../a}
              - {to: /srv/c, directory: true, mode: 0700}
            initramfs: {busybox: /bin/busybox, init: a}
            kernels:
              - name: cloud
                package: linux-image-cloud-amd64
                provides: [nfs]
                command-line: root=/dev/vda quiet
                unpacked: true
                early: [virtio_pci]
            """;

    @TempDir
    Path directory;

    @BeforeEach
    void besides() throws IOException {
        Files.writeString(directory.resolve("a"), "a");
    }

    private Recipe parse(String text) {
        return RecipeParser.parse(directory.resolve("r.yaml"), text);
    }

    private VseException refused(String text) {
        VseException e = catchThrowableOfType(VseException.class, () -> parse(text));
        assertThat(e.code()).isEqualTo(ErrorCode.RECIPE_INVALID);
        return e;
    }

    @Test
    void readsEveryKey() {
        Recipe recipe = parse(GOOD);
        assertThat(recipe.name()).isEqualTo("tiny");
        assertThat(recipe.tag()).isEqualTo("latest");
        assertThat(recipe.variant()).isEqualTo("minbase");
        assertThat(recipe.sizeBytes()).isEqualTo(64L << 20);
        assertThat(recipe.files())
                .containsExactly(
                        new Recipe.GuestFile.Copy("/etc/a", directory.resolve("a"), 0755),
                        new Recipe.GuestFile.Link("/etc/b", "../a"),
                        new Recipe.GuestFile.Directory("/srv/c", 0700));
        assertThat(recipe.kernels().get(0).provides()).isEqualTo(Set.of(Provides.NFS));
        assertThat(recipe.kernels().get(0).unpacked()).isTrue();
        assertThat(recipe.labels()).containsEntry("title", "A tiny one");
    }

    @Test
    void theExampleIsARecipe() {
        Recipe recipe = RecipeParser.parse(Path.of("../examples/images/debian-12.yaml"));
        assertThat(recipe.kernels()).extracting(Recipe.KernelRecipe::name).containsExactly("cloud", "generic");
        assertThat(recipe.kernels().get(1).provides()).containsExactlyInAnyOrder(Provides.values());
    }

    @Test
    void anUnknownKeyNamesTheNearestAndItsPlace() {
        VseException e = refused(GOOD.replace("packages:", "pakages:"));
        assertThat(e.what()).isEqualTo("unknown key 'pakages' in the recipe");
        assertThat(e.where()).isEqualTo(directory.resolve("r.yaml") + ":5:1");
        assertThat(e.facts()).containsEntry("did you mean", "packages");
    }

    @Test
    void anUnknownKeyInAKernelNamesItsPlace() {
        VseException e = refused(GOOD.replace("    early:", "    earley:"));
        assertThat(e.where()).endsWith("r.yaml:20:5");
        assertThat(e.facts()).containsEntry("did you mean", "early");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    name: tiny             | name: [tiny]            | 1:7   | 'name' must be text
                    name: tiny             | name:                   | 1:6   | 'name' must be text
                    name: tiny             | name: ../tiny           | 1:7   | 'name' has a wrong form
                    size: 64MiB            | size: 64                | 3:7   | 'size' has a wrong form
                    suite: bookworm        | tag: x                  | 1:1   | the recipe has no 'suite'
                    packages: [busybox-static] | packages: busybox   | 5:11  | 'packages' must be a list
                    packages: [busybox-static] | packages: [a-b, a-b] | 5:17 | 'a-b' is given twice in 'packages'
                    packages: [busybox-static] | packages: [--help]  | 5:12  | each of 'packages' has a wrong form
                    packages: [busybox-static] | packages: ['a,b']   | 5:12  | each of 'packages' has a wrong form
                    unpacked: true         | unpacked: maybe         | 19:15 | 'unpacked' must be true or false
                    remove: [/etc/hostname] | remove: [/etc/../..]   | 7:9   | '/etc/../..' contains '..'
                    from: a,               | from: ../a,             | 10:24 | '../a' is not beside or below the recipe
                    from: a,               | from: b,                | 10:24 | there is no file 'b' beside the recipe
                    from: a,               | from: /etc/passwd,      | 10:24 | 'from' has a wrong form
                    link: ../a             | link: ../a, from: a     | 11:10 | a file has either 'from', or 'link' without 'mode', or 'directory: true'
                    init: /bin/busybox     | init: busybox           | 8:7   | 'init' has a wrong form
                    provides: [nfs]        | provides: [smb]         | 17:16 | each of 'provides' has a wrong form
                    labels: {title: 'A tiny one'} | labels: 4        | 2:9   | 'labels' must be a mapping
                    """)
    void wrongValuesNameTheirPlace(String good, String bad, String place, String what) {
        assertThat(GOOD).contains(good);
        VseException e = refused(GOOD.replaceFirst(java.util.regex.Pattern.quote(good), bad));
        assertThat(e.what()).isEqualTo(what);
        assertThat(e.where()).endsWith("r.yaml:" + place);
    }

    @Test
    void twoKernelsOfOneNameAreRefused() {
        String kernel = GOOD.substring(GOOD.indexOf("  - name: cloud"));
        assertThat(refused(GOOD + kernel).what()).isEqualTo("two kernels are named 'cloud'");
    }

    @Test
    void aDuplicateKeyIsRefused() {
        VseException e = refused(GOOD + "name: other\n");
        assertThat(e.what()).isEqualTo("'name' is given twice");
        assertThat(e.facts()).hasEntrySatisfying("first", at -> assertThat(at).endsWith("r.yaml:1:1"));
    }

    @Test
    void anchorsAndAliasesAreRefused() {
        assertThat(refused(GOOD.replace("[busybox-static]", "&p [busybox-static]"))
                        .what())
                .isEqualTo("anchors and aliases are not allowed");
        assertThat(refused("name: *p\n").code()).isEqualTo(ErrorCode.RECIPE_INVALID);
    }

    @Test
    void aBillionLaughsCostNothing() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
        for (int i = 1; i < 30; i++) {
            String before = "*a" + (i - 1);
            bomb.append("a%d: &a%d [%s]\n".formatted(i, i, String.join(",", java.util.Collections.nCopies(9, before))));
        }
        org.assertj.core.api.Assertions.assertThatCode(() -> refused(bomb.toString()))
                .doesNotThrowAnyException();
    }

    @Test
    void deepNestingIsRefused() {
        assertThat(refused("name: " + "[".repeat(5000)).code()).isEqualTo(ErrorCode.RECIPE_INVALID);
        assertThat(refused("name: " + "[".repeat(30) + "]".repeat(30)).what())
                .isEqualTo("nested deeper than " + YamlReader.MAX_DEPTH);
    }

    @Test
    void aSecondDocumentIsRefused() {
        assertThat(refused("name: x\n---\nname: y\n").what()).isEqualTo("more than one document");
    }

    @Test
    void whatIsNotYamlNamesItsPlace() {
        VseException e = refused("name: tiny\nsize: 'open\n");
        assertThat(e.what()).startsWith("not YAML: ");
        assertThat(e.where()).contains("r.yaml:");
        assertThat(refused("").what()).startsWith("the recipe has no '");
        assertThat(refused("just text").what()).isEqualTo("the recipe must be a mapping");
    }

    @Test
    void tenMebibytesAreRefusedUnread() throws IOException {
        Path file = directory.resolve("big.yaml");
        Files.writeString(file, "# " + "x".repeat(10 << 20));
        assertThatThrownBy(() -> org.junit.jupiter.api.Assertions.assertTimeout(
                        Duration.ofSeconds(5), () -> RecipeParser.parse(file)))
                .hasMessageContaining("RECIPE_INVALID")
                .hasMessageContaining("1048576");
    }

    @Test
    void bytesThatAreNotTextAreRefused() throws IOException {
        Path file = directory.resolve("latin.yaml");
        Files.write(file, new byte[] {'n', ':', ' ', (byte) 0xe9, '\n'});
        assertThatThrownBy(() -> RecipeParser.parse(file)).hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> RecipeParser.parse(directory.resolve("none.yaml")))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("cannot be read");
    }

    @Property(tries = 300)
    void anyTextIsReadOrRefused(@ForAll String text) {
        try {
            RecipeParser.parse(Path.of("r.yaml"), text);
        } catch (VseException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.RECIPE_INVALID);
            assertThat(e.where()).matches("r\\.yaml:\\d+:\\d+");
        }
    }
}
