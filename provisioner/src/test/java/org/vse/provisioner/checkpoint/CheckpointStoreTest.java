package org.vse.provisioner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.checkpoint.CheckpointStore.CheckpointSet;

class CheckpointStoreTest {
    private static final String DIGEST = "ab".repeat(32);

    @TempDir
    Path directory;

    @SuppressWarnings("NullAway.Init")
    private CheckpointStore store;

    @BeforeEach
    void open() {
        store = new CheckpointStore(directory.resolve("sets"), SiteKey.in(directory.resolve("key")));
    }

    @Test
    void aSetThatWasCommittedIsThereForWhoeverHasTheKey() throws IOException {
        CheckpointSet made = commit("slurm-7", 1);
        CheckpointStore another = new CheckpointStore(directory.resolve("sets"), SiteKey.in(directory.resolve("key")));
        CheckpointSet found = another.open("slurm-7", 1);
        assertThat(found.manifest()).isEqualTo(made.manifest());
        found.manifest().vms().forEach(found::verify);
        found.manifest().files().forEach(found::verify);
        assertThat(another.numbers("slurm-7")).containsExactly(1);
        assertThat(another.tags()).containsExactly("slurm-7");
        assertThat(found.manifest().bytes()).isEqualTo(2 * (100 + 50) + 6);
        try (var all = Files.walk(directory.resolve("sets"))) {
            assertThat(all)
                    .allSatisfy(path -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                            .as(path.toString())
                            .endsWith("------"));
        }
    }

    @Test
    void withoutItsManifestASetDoesNotExist() throws IOException {
        CheckpointStore.Draft draft = store.begin("slurm-7", 1);
        Files.write(draft.file("vm-0.memory"), new byte[100]);
        assertThat(store.numbers("slurm-7")).isEmpty();
        refused(() -> store.open("slurm-7", 1), "nothing");
        draft.abandon();
        assertThat(directory.resolve("sets/slurm-7/1.draft")).doesNotExist();
        commit("slurm-7", 1);
        Files.delete(directory.resolve("sets/slurm-7/1/manifest.json"));
        refused(() -> store.open("slurm-7", 1), "nothing");
    }

    @Test
    void whatADeadAttemptLeftIsNotInTheNextSet() throws IOException {
        Files.write(store.begin("slurm-7", 1).file("left"), new byte[10]);
        commit("slurm-7", 1);
        assertThat(directory.resolve("sets/slurm-7/1/left")).doesNotExist();
    }

    @Test
    void aSetThatIsThereIsNotReplaced() throws IOException {
        CheckpointSet first = commit("slurm-7", 1);
        assertThatThrownBy(() -> commit("slurm-7", 1)).satisfies(code(ErrorCode.JOB_STATE));
        assertThat(store.open("slurm-7", 1).manifest()).isEqualTo(first.manifest());
    }

    @Test
    void numbersAreInOrderAndRemovedOnesAreGone() throws IOException {
        for (int number : List.of(2, 10, 1)) {
            commit("local-3", number);
        }
        assertThat(store.numbers("local-3")).containsExactly(1, 2, 10);
        store.remove("local-3", 2);
        store.remove("local-3", 2);
        assertThat(store.numbers("local-3")).containsExactly(1, 10);
        store.remove("local-3", 1);
        store.remove("local-3", 10);
        assertThat(store.tags()).isEmpty();
        assertThat(store.numbers("nobody-1")).isEmpty();
    }

    @Test
    void anEditedManifestIsRefused() throws IOException {
        commit("slurm-7", 1);
        Path manifest = directory.resolve("sets/slurm-7/1/manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace("\"uid\":1000", "\"uid\":1001"));
        refused(() -> store.open("slurm-7", 1), "a manifest that this site did not sign, or that was changed since");
    }

    @Test
    void aSetOfAnotherSiteIsRefused() throws IOException {
        commit("slurm-7", 1);
        CheckpointStore other =
                new CheckpointStore(directory.resolve("sets"), SiteKey.in(directory.resolve("other-key")));
        refused(() -> other.open("slurm-7", 1), "a manifest that this site did not sign, or that was changed since");
    }

    @Test
    void aSetInAnothersPlaceIsRefused() throws IOException {
        commit("slurm-7", 1);
        Files.createDirectories(directory.resolve("sets/slurm-8"));
        Files.move(directory.resolve("sets/slurm-7/1"), directory.resolve("sets/slurm-8/1"));
        refused(() -> store.open("slurm-8", 1), "set 1 of 'slurm-7'");
        Files.move(directory.resolve("sets/slurm-8/1"), directory.resolve("sets/slurm-7/2"));
        refused(() -> store.open("slurm-7", 2), "set 1 of 'slurm-7'");
    }

    @Test
    void changedFilesAreNamed() throws IOException {
        CheckpointSet set = commit("slurm-7", 1);
        SavedVm vm = set.manifest().vms().get(1);
        Path memory = set.file(vm.memory());

        byte[] bytes = Files.readAllBytes(memory);
        bytes[0]++;
        Files.write(memory, bytes);
        set.verify(vm);

        bytes[99]++;
        Files.write(memory, bytes);
        refused(() -> set.verify(vm), "sha256 ");
        Files.write(memory, new byte[1], StandardOpenOption.APPEND);
        refused(() -> set.verify(vm), "101 bytes");
        Files.delete(memory);
        refused(() -> set.verify(vm), "no file");
        Files.createSymbolicLink(memory, set.file(set.manifest().vms().get(0).memory()));
        refused(() -> set.verify(vm), "no file");
    }

    @Test
    void whatIsNoManifestIsRefused() throws IOException {
        Path set = Files.createDirectories(directory.resolve("sets/slurm-7/1"));
        Path manifest = set.resolve("manifest.json");
        Files.writeString(manifest, "no line");
        refused(() -> store.open("slurm-7", 1), "7 bytes that are no manifest");
        SiteKey key = SiteKey.in(directory.resolve("key"));
        for (String text : List.of("{}", "{\"version\":1}", "[]", "nonsense", "{\"version\":1,\"version\":1}")) {
            Files.writeString(manifest, key.sign(text.getBytes(StandardCharsets.UTF_8)) + "\n" + text);
            assertThatThrownBy(() -> store.open("slurm-7", 1)).as(text).satisfies(code(ErrorCode.CHECKPOINT_INVALID));
        }
    }

    @Test
    void aKeyIsPrivateAndStaysTheSame() throws IOException {
        Path file = directory.resolve("key");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        byte[] text = {1, 2, 3};
        assertThat(SiteKey.in(file).signed(text, SiteKey.in(file).sign(text))).isTrue();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> SiteKey.in(file))
                .satisfies(code(ErrorCode.CONFIG_INVALID))
                .hasMessageContaining("chmod 600");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.writeString(file, "short\n");
        assertThatThrownBy(() -> SiteKey.in(file)).satisfies(code(ErrorCode.CONFIG_INVALID));
    }

    private CheckpointSet commit(String tag, int number) throws IOException {
        CheckpointStore.Draft draft = store.begin(tag, number);
        List<SavedVm> vms = List.of(saved(draft, 0), saved(draft, 1));
        Files.writeString(draft.file("stdout"), "output");
        SetManifest manifest = new SetManifest(
                SetManifest.VERSION,
                tag,
                number,
                "slurm",
                "7",
                1000,
                1,
                Instant.parse("2026-01-02T03:04:05Z"),
                "0123456789ab",
                "sha256:" + DIGEST,
                DIGEST,
                "QEMU 7.2.0",
                "maximum",
                vms,
                List.of(draft.seal("stdout", 0)),
                60);
        return draft.commit(manifest);
    }

    private static SavedVm saved(CheckpointStore.Draft draft, int index) throws IOException {
        String memory = "vm-" + index + ".memory";
        String disk = "vm-" + index + ".disk";
        Files.write(draft.file(memory), new byte[100]);
        Files.write(draft.file(disk), new byte[50]);
        return new SavedVm(index, "n" + index, 1, 64L << 20, draft.seal(memory, 10), 10, draft.seal(disk, 0));
    }

    private static void refused(ThrowingCallable call, String found) {
        assertThatThrownBy(call).satisfies(code(ErrorCode.CHECKPOINT_INVALID)).hasMessageContaining(found);
    }

    private static Consumer<Throwable> code(ErrorCode expected) {
        return failure -> assertThat(((VseException) failure).code()).isEqualTo(expected);
    }
}
