package org.vse.imagestore.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class RecipeLayersTest {
    @TempDir
    Path directory;

    @BeforeEach
    void below() throws IOException {
        Files.createDirectories(directory.resolve("site"));
        Files.writeString(directory.resolve("site/a"), "a");
        Files.writeString(directory.resolve("b"), "b");
        Files.writeString(directory.resolve("site/base.yaml"), RecipeParserTest.GOOD);
    }

    private Recipe parse(String text) throws IOException {
        return RecipeParser.parse(Files.writeString(directory.resolve("r.yaml"), text));
    }

    private VseException refused(String text) {
        VseException e = catchThrowableOfType(VseException.class, () -> parse(text));
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(ErrorCode.RECIPE_INVALID);
        return e;
    }

    @Test
    void listsGrowLabelsMergeAndTheRestIsReplaced() throws IOException {
        Recipe base = RecipeParser.parse(directory.resolve("site/base.yaml"));
        Recipe recipe = parse("""
                extends: site/base.yaml
                name: more
                labels: {other: x}
                packages: [python3, busybox-static]
                files: [{to: /etc/z, from: b}]
                exclude: [/usr/share/more/*]
                size: 128MiB
                """);
        assertThat(recipe.name()).isEqualTo("more");
        assertThat(recipe.sizeBytes()).isEqualTo(128L << 20);
        assertThat(recipe.labels()).containsEntry("title", "A tiny one").containsEntry("other", "x");
        assertThat(recipe.packages()).containsExactly("busybox-static", "python3");
        assertThat(recipe.stages())
                .containsExactly(
                        new Recipe.Stage(List.of("busybox-static"), base.exclude()),
                        new Recipe.Stage(List.of("python3"), recipe.exclude()));
        assertThat(recipe.exclude())
                .endsWith("/usr/share/more/*")
                .hasSizeGreaterThan(base.exclude().size());
        assertThat(recipe.files())
                .startsWith(base.files().toArray(new Recipe.GuestFile[0]))
                .hasSize(4);
        assertThat(recipe.files().get(3)).isEqualTo(new Recipe.GuestFile.Copy("/etc/z", directory.resolve("b"), 0644));
        assertThat(recipe.kernels()).isEqualTo(base.kernels());
        assertThat(recipe.initramfs()).isEqualTo(base.initramfs());
        assertThat(recipe.source()).isEqualTo(directory.resolve("r.yaml"));
    }

    @Test
    void anInheritedMistakeIsShownWhereItWasMade() throws IOException {
        Files.writeString(directory.resolve("site/base.yaml"), RecipeParserTest.GOOD.replace("64MiB", "64 apples"));
        assertThat(refused("extends: site/base.yaml\nname: more\n").where())
                .isEqualTo(directory + "/site/base.yaml:3:7");
        Files.writeString(directory.resolve("site/base.yaml"), RecipeParserTest.GOOD + "packges: []\n");
        VseException unknown = refused("extends: site/base.yaml\nname: more\n");
        assertThat(unknown.where()).startsWith(directory + "/site/base.yaml:");
        assertThat(unknown.facts()).containsEntry("did you mean", "packages");
        assertThat(refused("name: more\nsizes: 1\nextends: site/base.yaml\n").where())
                .isEqualTo(directory + "/site/base.yaml:21:1");
    }

    @Test
    void circlesAreShown() throws IOException {
        assertThat(refused("name: x\nextends: r.yaml\n").where()).isEqualTo(directory + "/r.yaml:2:10");
        Files.writeString(directory.resolve("p.yaml"), "extends: q.yaml\n");
        Files.writeString(directory.resolve("q.yaml"), "extends: r.yaml\n");
        VseException circle = refused("extends: p.yaml\n");
        assertThat(circle.what()).isEqualTo("recipes extend each other in a circle");
        assertThat(circle.where()).isEqualTo(directory + "/q.yaml:1:10");
        assertThat(circle.facts().get("circle")).contains("r.yaml -> ", "p.yaml -> ", "q.yaml -> ");
        for (int i = 0; i < 20; i++) {
            Files.writeString(directory.resolve("deep" + i + ".yaml"), "extends: deep" + (i + 1) + ".yaml\n");
        }
        assertThat(refused("extends: deep0.yaml\n").what()).isEqualTo("more than 16 recipes extend each other");
    }

    @Test
    void aMissingRecipeIsNamed() {
        VseException e = refused("name: x\nextends: none.yaml\n");
        assertThat(e.what()).isEqualTo("there is no recipe 'none.yaml' to extend");
        assertThat(e.where()).isEqualTo(directory + "/r.yaml:2:10");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x.yaml", "/etc/passwd", "[a, b]", "{a: b}", "''", "a/../../b"})
    void onlyRecipesBesideOrBelowCanBeExtended(String named) {
        assertThat(refused("extends: " + named + "\n").where()).isEqualTo(directory + "/r.yaml:1:10");
    }

    @Test
    void theExamplesSayOnlyWhatTheyAdd() {
        Recipe base = RecipeParser.parse(Path.of("../examples/images/debian-12.yaml"));
        for (String name : new String[] {"debian-12-mpi", "debian-12-python"}) {
            Recipe recipe = RecipeParser.parse(Path.of("../examples/images/" + name + ".yaml"));
            assertThat(recipe.name()).isEqualTo(name);
            assertThat(recipe.packages())
                    .containsAll(base.packages())
                    .contains("python3-" + (name.endsWith("mpi") ? "mpi4py" : "numpy"));
            assertThat(recipe.kernels()).isEqualTo(base.kernels());
            assertThat(recipe.files()).isEqualTo(base.files());
        }
    }
}
