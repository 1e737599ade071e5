package org.vse.provisioner.checkpoint;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Checkpoint sets below one directory, which all nodes of a site may share: {@code TAG/NUMBER/}, with a manifest and the
 * files that it names. A set has its name only with its manifest in it; until then it is a {@link Draft}. Readable by their
 * owner only.
 */
public final class CheckpointStore {
    private static final String MANIFEST = "manifest.json";
    private static final String DRAFT = ".draft";
    private static final int MOST_MANIFEST = 4 << 20;
    private static final Pattern TAG = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,8}");
    private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rw-------");
    private static final FileAttribute<?> OWN_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final JsonMapper JSON = JsonMapper.builder()
            .findAndAddModules()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .build();

    private final Path root;
    private final SiteKey key;

    /**
     * @param root made when it is not there
     * @throws VseException STORAGE_FAILED
     */
    public CheckpointStore(Path root, SiteKey key) {
        this.root = root;
        this.key = key;
        try {
            Files.createDirectories(root, OWN_DIRECTORY);
        } catch (IOException e) {
            throw failed(root, e);
        }
    }

    /** A directory for the files of a set that is being made. What an earlier attempt at the same set left there is deleted. */
    public Draft begin(String tag, int number) {
        Path directory = of(tag).resolve(number + DRAFT);
        try {
            delete(directory);
            Files.createDirectories(directory, OWN_DIRECTORY);
        } catch (IOException e) {
            throw failed(directory, e);
        }
        return new Draft(directory);
    }

    /**
     * The draft that another node has begun in the same directory.
     *
     * @throws VseException CHECKPOINT_FAILED when it is not there
     */
    public Draft join(String tag, int number) {
        Path directory = of(tag).resolve(number + DRAFT);
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw VseException.of(ErrorCode.CHECKPOINT_FAILED, "what another node has begun to save is not here")
                    .at(directory.toString())
                    .next("set 'checkpoints' in vsed.yaml to a directory that all nodes share");
        }
        return new Draft(directory);
    }

    /** Files of a set that does not exist yet. */
    public final class Draft {
        private final Path directory;

        private Draft(Path directory) {
            this.directory = directory;
        }

        /** Where a file of the set is to be written. */
        public Path file(String name) {
            return directory.resolve(name);
        }

        /**
         * A file as the manifest names it, readable by its owner only and forced to the disk.
         *
         * @param from first byte that counts, others may change later
         */
        public SavedFile seal(String name, long from) {
            Path file = file(name);
            try {
                Files.setPosixFilePermissions(file, OWN);
                force(file);
                return new SavedFile(name, Files.size(file), digest(file, from));
            } catch (IOException e) {
                throw failed(file, e);
            }
        }

        /**
         * A file that another node has sealed.
         *
         * @throws VseException CHECKPOINT_FAILED when it is not here as a whole
         */
        public void requireHere(SavedFile sealed) {
            Path file = file(sealed.name());
            try {
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != sealed.bytes()) {
                    throw VseException.of(ErrorCode.CHECKPOINT_FAILED, "what another node has saved is not here")
                            .at(file.toString())
                            .fact("expected", sealed.bytes() + " bytes")
                            .next("set 'checkpoints' in vsed.yaml to a directory that all nodes share");
                }
            } catch (IOException e) {
                throw failed(file, e);
            }
        }

        /**
         * Makes it a set; durable when this returns.
         *
         * @throws VseException JOB_STATE when the job has a set of that number
         */
        public CheckpointSet commit(SetManifest manifest) {
            Path target = of(manifest.tag()).resolve(String.valueOf(manifest.number()));
            try {
                byte[] text = JSON.writeValueAsBytes(manifest);
                byte[] code = (key.sign(text) + "\n").getBytes(StandardCharsets.US_ASCII);
                Path file = file(MANIFEST);
                Files.createFile(file, PosixFilePermissions.asFileAttribute(OWN));
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    ByteBuffer all = ByteBuffer.allocate(code.length + text.length);
                    all.put(code).put(text).flip();
                    while (all.hasRemaining()) {
                        channel.write(all);
                    }
                    channel.force(true);
                }
                force(directory);
                // A directory takes the place of an empty one only: a set that is there stays.
                Files.move(directory, target, StandardCopyOption.ATOMIC_MOVE);
                force(target.resolveSibling(""));
                return new CheckpointSet(target, manifest);
            } catch (DirectoryNotEmptyException | FileAlreadyExistsException e) {
                throw taken(target).because(e);
            } catch (IOException e) {
                throw Files.exists(target.resolve(MANIFEST)) && Files.exists(directory)
                        ? taken(target).because(e)
                        : failed(target, e);
            }
        }

        /** Deletes what is there. */
        public void abandon() {
            try {
                delete(directory);
            } catch (IOException e) {
                throw failed(directory, e);
            }
        }

        private VseException taken(Path target) {
            return VseException.of(ErrorCode.JOB_STATE, "the job has a checkpoint of that number")
                    .at(target.toString());
        }
    }

    /**
     * Keeps a short text beside the sets of a job, instead of an earlier one of that name.
     *
     * @param name of a file
     */
    public void note(String tag, String name, byte[] text) {
        Path file = of(tag).resolve(name);
        Path part = of(tag).resolve(name + ".part");
        try {
            Files.createDirectories(of(tag), OWN_DIRECTORY);
            Files.deleteIfExists(part);
            Files.createFile(part, PosixFilePermissions.asFileAttribute(OWN));
            Files.write(part, text);
            force(part);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** The text of that name; empty when there is none. */
    public Optional<byte[]> note(String tag, String name) {
        try {
            return Optional.of(Files.readAllBytes(of(tag).resolve(name)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw failed(of(tag).resolve(name), e);
        }
    }

    /** Deletes everything of a job. An unknown one is no error. */
    public void remove(String tag) {
        for (int number : numbers(tag)) {
            remove(tag, number);
        }
        try {
            delete(of(tag));
        } catch (IOException e) {
            throw failed(of(tag), e);
        }
    }

    /** The sets of a job, oldest first. One that cannot be believed is refused when it is {@link #open opened}, not here. */
    public List<Integer> numbers(String tag) {
        try (Stream<Path> all = Files.list(of(tag))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> NUMBER.matcher(name).matches())
                    .map(Integer::valueOf)
                    .sorted()
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw failed(of(tag), e);
        }
    }

    /** The tags of all jobs that have sets or drafts. */
    public List<String> tags() {
        try (Stream<Path> all = Files.list(root)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> TAG.matcher(name).matches())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw failed(root, e);
        }
    }

    /**
     * A set with its manifest believed, its files not yet looked at.
     *
     * @throws VseException CHECKPOINT_INVALID when there is none, or it was changed or made elsewhere
     */
    public CheckpointSet open(String tag, int number) {
        Path directory = of(tag).resolve(String.valueOf(number));
        Path file = directory.resolve(MANIFEST);
        byte[] all;
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            all = in.readNBytes(MOST_MANIFEST + 1);
        } catch (NoSuchFileException e) {
            throw invalid(file, "nothing").because(e);
        } catch (IOException e) {
            throw failed(file, e);
        }
        String text = new String(all, StandardCharsets.UTF_8);
        int line = text.indexOf('\n');
        if (all.length > MOST_MANIFEST || line < 0) {
            throw invalid(file, all.length + " bytes that are no manifest");
        }
        byte[] json = text.substring(line + 1).getBytes(StandardCharsets.UTF_8);
        if (!key.signed(json, text.substring(0, line))) {
            throw invalid(file, "a manifest that this site did not sign, or that was changed since");
        }
        try {
            JsonNode tree = JSON.readTree(json);
            int version = tree.path("version").asInt();
            if (version != SetManifest.VERSION) {
                throw invalid(file, "version " + version).next("resume it with the VSE that saved it");
            }
            SetManifest manifest = JSON.treeToValue(tree, SetManifest.class);
            // A set that was copied into another one's place is signed too.
            if (!manifest.tag().equals(tag) || manifest.number() != number) {
                throw invalid(file, "set " + manifest.number() + " of '" + manifest.tag() + "'");
            }
            return new CheckpointSet(directory, manifest);
        } catch (JacksonException | IllegalArgumentException e) {
            throw invalid(file, "a manifest of another form").because(e);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** Deletes a set: first its manifest, so that it is never half there. An unknown one is no error. */
    public void remove(String tag, int number) {
        Path directory = of(tag).resolve(String.valueOf(number));
        try {
            if (Files.deleteIfExists(directory.resolve(MANIFEST))) {
                force(directory);
            }
            delete(directory);
            Files.deleteIfExists(of(tag));
        } catch (DirectoryNotEmptyException otherSetsAreThere) {
            return;
        } catch (IOException e) {
            throw failed(directory, e);
        }
    }

    /** A set that is there. */
    public static final class CheckpointSet {
        private final Path directory;
        private final SetManifest manifest;

        private CheckpointSet(Path directory, SetManifest manifest) {
            this.directory = directory;
            this.manifest = manifest;
        }

        public SetManifest manifest() {
            return manifest;
        }

        public Path file(SavedFile file) {
            return directory.resolve(file.name());
        }

        /**
         * Reads one machine's files and compares them with the manifest.
         *
         * @throws VseException CHECKPOINT_INVALID naming the file and what was found
         */
        public void verify(SavedVm vm) {
            compare(vm.memory(), vm.state());
            compare(vm.disk(), 0);
        }

        /** Reads a file and compares it with the manifest. */
        public void verify(SavedFile file) {
            compare(file, 0);
        }

        private void compare(SavedFile expected, long from) {
            Path file = file(expected);
            try {
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    throw invalid(file, "no file");
                }
                if (Files.size(file) != expected.bytes()) {
                    throw invalid(file, Files.size(file) + " bytes").fact("expected", expected.bytes() + " bytes");
                }
                String found = digest(file, from);
                if (!found.equals(expected.sha256())) {
                    throw invalid(file, "sha256 " + found).fact("expected", "sha256 " + expected.sha256());
                }
            } catch (IOException e) {
                throw failed(file, e);
            }
        }
    }

    private Path of(String tag) {
        if (!TAG.matcher(tag).matches()) {
            throw new IllegalArgumentException("not a tag: '" + tag + "'");
        }
        return root.resolve(tag);
    }

    private static String digest(Path file, long from) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            channel.position(from);
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (channel.read(buffer.clear()) >= 0) {
                digest.update(buffer.flip());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static VseException invalid(Path file, String found) {
        return VseException.of(ErrorCode.CHECKPOINT_INVALID, "the checkpoint cannot be used")
                .at(file.toString())
                .fact("found", found);
    }

    private static VseException failed(Path file, IOException e) {
        return VseException.storage("a checkpoint cannot be read or written", file, e);
    }
}
