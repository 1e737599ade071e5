package org.vse.imagestore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The images of a node, found by what they are.
 *
 * <pre>
 * images/sha256-HEX/   manifest.yaml, origin.yaml, disk.qcow2, kernels/NAME/kernel, kernels/NAME/initrd
 * tags/NAME:TAG        one line: sha256:HEX
 * verified/sha256-HEX  the state of the files when their digests were last checked
 * incoming/            what is being built
 * logs/                of builds
 * </pre>
 *
 * An image directory and a tag appear, change and disappear by one rename, so that readers need no lock and see all or
 * nothing. Writers exclude each other through a lock file. Symbolic links inside the store are refused.
 */
public final class ImageStore {
    /** Where a node keeps its images. */
    public static final Path DEFAULT_ROOT = Path.of("/var/lib/vse/images");

    /** The tag of a reference that names none. */
    public static final String DEFAULT_TAG = "latest";

    private static final Pattern TAGGED =
            Pattern.compile("([a-z0-9][a-z0-9._-]{0,63})(?::([a-z0-9][a-z0-9._-]{0,63}))?");
    private static final Pattern DIGESTED = Pattern.compile("(?:([a-z0-9][a-z0-9._-]{0,63})@)?(sha256:[0-9a-f]{64})");

    private final Path root;
    private final StoreFiles files;
    private final @Nullable ImageStore beneath;

    /** Nothing is created before the first write; a store that does not exist is empty. */
    public ImageStore(Path root) {
        this(root, null);
    }

    private ImageStore(Path root, @Nullable ImageStore beneath) {
        this.root = root.toAbsolutePath().normalize();
        this.files = new StoreFiles(this.root);
        this.beneath = beneath;
    }

    /**
     * A store in which images of another one are found too, where this one has no image of that name or digest. The other
     * one is never written to.
     *
     * @param beneath root of the other one; null, or one that this process cannot read, for none
     */
    public static ImageStore over(Path root, @Nullable Path beneath) {
        if (beneath == null || !Files.isReadable(beneath.resolve("tags"))) {
            return new ImageStore(root);
        }
        return new ImageStore(root, new ImageStore(beneath));
    }

    public Path root() {
        return root;
    }

    /** Where images are looked for, in this order. */
    public List<Path> roots() {
        return beneath == null ? List.of(root) : List.of(root, beneath.root);
    }

    /**
     * The image of a reference: {@code NAME}, {@code NAME:TAG}, {@code NAME@sha256:HEX} or {@code sha256:HEX}.
     *
     * @throws VseException IMAGE_UNKNOWN when there is none, IMAGE_CORRUPT when it is damaged, STORAGE_FAILED when the
     *     store cannot be read
     */
    public Image resolve(String reference) {
        Matcher digested = DIGESTED.matcher(reference);
        if (digested.matches()) {
            return byDigest(digested.group(2))
                    .filter(image -> digested.group(1) == null || image.name().equals(digested.group(1)))
                    .orElseThrow(() -> unknown(reference));
        }
        Matcher tagged = TAGGED.matcher(reference);
        if (!tagged.matches()) {
            throw unknown(reference).fact("expected", "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX");
        }
        String name = tagged.group(1);
        String tag = Optional.ofNullable(tagged.group(2)).orElse(DEFAULT_TAG);
        return io(() -> {
            Optional<String> digest = readTag(name + ":" + tag);
            if (digest.isEmpty() && beneath != null && beneath.has(name + ":" + tag)) {
                return beneath.resolve(reference);
            }
            return load(digest.orElseThrow(() -> unknown(reference)), name, tag);
        });
    }

    /** The image with that digest, empty when it is not in this store. */
    public Optional<Image> byDigest(String digest) {
        if (!DIGESTED.matcher(digest).matches()) {
            return Optional.empty();
        }
        if (!Files.exists(directory(digest), LinkOption.NOFOLLOW_LINKS)) {
            return beneath == null ? Optional.empty() : beneath.byDigest(digest);
        }
        return Optional.of(io(() -> {
            String name = manifest(digest).name();
            String tag = "";
            for (String candidate : tags()) {
                if (candidate.startsWith(name + ":") && readTag(candidate).equals(Optional.of(digest))) {
                    tag = candidate.substring(name.length() + 1);
                    break;
                }
            }
            return load(digest, name, tag);
        }));
    }

    /** One image for every tag, sorted by reference. */
    public List<Image> list() {
        return io(() -> {
            List<Image> images = new ArrayList<>();
            for (String tagged : tags()) {
                Optional<String> digest = readTag(tagged);
                if (digest.isPresent()) {
                    int colon = tagged.indexOf(':');
                    images.add(load(digest.get(), tagged.substring(0, colon), tagged.substring(colon + 1)));
                }
            }
            if (beneath != null) {
                beneath.list().stream()
                        .filter(image ->
                                images.stream().noneMatch(own -> own.reference().equals(image.reference())))
                        .toList()
                        .forEach(images::add);
                images.sort(Comparator.comparing(Image::reference));
            }
            return List.copyOf(images);
        });
    }

    /**
     * Compares every byte of the image with its digests, and remembers the state of the files when this process may write
     * to the store.
     *
     * @throws VseException IMAGE_CORRUPT with the file and the number of the first chunk that differs
     */
    public void verify(Image image) {
        ImageStore holder = holder(image);
        if (holder != this) {
            holder.verify(image);
            return;
        }
        io(() -> {
            Path directory = directory(image.digest());
            Manifest manifest = manifest(image.digest());
            Stamp before = stamp(directory, manifest);
            OptionalInt differs =
                    ChunkDigests.firstDifference(image.disk(), manifest.disk().chunks());
            if (differs.isPresent()) {
                throw corrupt(image.digest(), "chunk " + differs.getAsInt() + " of its disk differs from its digest")
                        .fact("file", image.disk())
                        .fact("offset", (long) differs.getAsInt() * ChunkDigests.CHUNK_BYTES);
            }
            for (Manifest.KernelFiles kernel : manifest.kernels()) {
                verify(image.digest(), kernelFile(directory, kernel), kernel.kernel());
                verify(image.digest(), initrdFile(directory, kernel), kernel.initrd());
            }
            if (Files.isWritable(root)) {
                writeStamp(image.digest(), before);
            }
            return image;
        });
    }

    /** Whether the files are still in the state in which {@link #verify} last found them good. Costs no hashing. */
    public boolean quickVerified(Image image) {
        ImageStore holder = holder(image);
        if (holder != this) {
            return holder.quickVerified(image);
        }
        return io(() -> {
            Stamp now = stamp(directory(image.digest()), manifest(image.digest()));
            return StoreFiles.readSmall(stampFile(image.digest()), 1 << 16)
                    .map(text -> text.equals(now.text()))
                    .orElse(false);
        });
    }

    /** A new empty directory in this store's file system. */
    public Staging stage() {
        return io(() -> {
            files.prepare();
            return locked(() -> Staging.in(root.resolve("incoming")));
        });
    }

    /** Where the logs of builds are kept; exists when this returns. */
    public Path logs() {
        return io(() -> {
            files.prepare();
            return root.resolve("logs");
        });
    }

    /**
     * Makes an image of a staged directory that holds {@code disk.qcow2} and {@code kernels/NAME/kernel|initrd}, and points
     * a tag to it. An image that is there already is kept when it is good and replaced when it is damaged.
     *
     * @throws VseException STORAGE_FAILED
     */
    public Image publish(Staging staging, NewImage image) {
        return io(() -> {
            Path tree = staging.directory();
            Manifest manifest = image.manifestOf(tree);
            String digest = manifest.digest();
            Files.write(tree.resolve("manifest.yaml"), manifest.render());
            Files.writeString(tree.resolve("origin.yaml"), image.origin().render());
            StoreFiles.settle(tree, files(tree, manifest));
            locked(() -> {
                install(tree, manifest);
                return files.replace(root.resolve("tags").resolve(image.name() + ":" + image.tag()), digest + "\n");
            });
            return load(digest, image.name(), image.tag());
        });
    }

    private void install(Path tree, Manifest manifest) throws IOException {
        String digest = manifest.digest();
        if (isGood(digest)) {
            return;
        }
        Path aside = root.resolve("incoming").resolve(UUID.randomUUID().toString());
        if (Files.exists(directory(digest), LinkOption.NOFOLLOW_LINKS)) {
            Files.move(directory(digest), aside, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(tree, directory(digest), StandardCopyOption.ATOMIC_MOVE);
        Staging.removeTree(aside);
        StoreFiles.force(root.resolve("images"));
        writeStamp(digest, stamp(directory(digest), manifest));
    }

    private boolean isGood(String digest) {
        if (!Files.exists(directory(digest), LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try {
            Image there = byDigest(digest).orElseThrow();
            verify(there);
            return true;
        } catch (VseException e) {
            if (e.code() == ErrorCode.IMAGE_CORRUPT) {
                return false;
            }
            throw e;
        }
    }

    private Image load(String digest, String name, String tag) throws IOException {
        Path directory = directory(digest);
        Manifest manifest = manifest(digest);
        for (Path file : files(directory, manifest)) {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                throw corrupt(digest, "a file is missing or not a regular file").fact("file", file);
            }
        }
        Path disk = directory.resolve(NewImage.DISK);
        if (Files.size(disk) != manifest.disk().bytes()) {
            throw corrupt(digest, "its disk has the wrong size")
                    .fact("file", disk)
                    .fact("expected", manifest.disk().bytes())
                    .fact("found", Files.size(disk));
        }
        Origin origin = StoreFiles.readSmall(directory.resolve("origin.yaml"), 1 << 16)
                .flatMap(Origin::parse)
                .orElseThrow(() -> corrupt(digest, "it does not say when it was made")
                        .fact("file", directory.resolve("origin.yaml")));
        return new Image(
                name,
                tag,
                digest,
                disk,
                manifest.disk().format(),
                manifest.disk().virtualBytes(),
                manifest.kernels().stream()
                        .map(k -> new Kernel(
                                k.name(),
                                kernelFile(directory, k),
                                initrdFile(directory, k),
                                k.commandLine(),
                                k.provides()))
                        .toList(),
                origin.created());
    }

    private Manifest manifest(String digest) throws IOException {
        Path directory = directory(digest);
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw corrupt(digest, "its directory is missing or not a directory").fact("path", directory);
        }
        Path file = directory.resolve("manifest.yaml");
        byte[] bytes = StoreFiles.readSmall(file, Manifest.MAX_BYTES)
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .orElseThrow(() -> corrupt(digest, "it has no manifest").fact("file", file));
        if (!digest.equals("sha256:" + ChunkDigests.whole(bytes))) {
            throw corrupt(digest, "its manifest differs from its digest").fact("file", file);
        }
        return Manifest.parse(bytes);
    }

    private List<String> tags() throws IOException {
        Path tags = root.resolve("tags");
        List<String> names = new ArrayList<>();
        if (Files.isDirectory(tags)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(tags)) {
                for (Path entry : entries) {
                    String name = entry.getFileName().toString();
                    if (name.indexOf(':') > 0 && TAGGED.matcher(name).matches()) {
                        names.add(name);
                    }
                }
            }
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }

    private boolean has(String tagged) throws IOException {
        return readTag(tagged).isPresent();
    }

    private ImageStore holder(Image image) {
        return beneath != null && image.disk().startsWith(beneath.root) ? beneath : this;
    }

    private Optional<String> readTag(String tagged) throws IOException {
        Path file = root.resolve("tags").resolve(tagged);
        Optional<String> digest = StoreFiles.readSmall(file, 128).map(String::strip);
        if (digest.isPresent() && !digest.get().matches("sha256:[0-9a-f]{64}")) {
            throw VseException.of(ErrorCode.IMAGE_CORRUPT, "tag '" + tagged + "' does not name an image")
                    .fact("file", file)
                    .next("vse image build");
        }
        return digest;
    }

    private <T> T locked(StoreLock.Work<T> work) throws IOException {
        return StoreLock.holding(root.resolve(".lock"), work);
    }

    private void writeStamp(String digest, Stamp stamp) throws IOException {
        files.replace(stampFile(digest), stamp.text());
    }

    private static Stamp stamp(Path directory, Manifest manifest) throws IOException {
        return Stamp.of(directory, files(directory, manifest));
    }

    private static List<Path> files(Path directory, Manifest manifest) {
        List<Path> files = new ArrayList<>();
        files.add(directory.resolve("manifest.yaml"));
        files.add(directory.resolve("origin.yaml"));
        files.add(directory.resolve(NewImage.DISK));
        for (Manifest.KernelFiles kernel : manifest.kernels()) {
            files.add(kernelFile(directory, kernel));
            files.add(initrdFile(directory, kernel));
        }
        return files;
    }

    private static void verify(String digest, Path file, String expected) throws IOException {
        if (!ChunkDigests.whole(file).equals(expected)) {
            throw corrupt(digest, "a kernel file differs from its digest").fact("file", file);
        }
    }

    private static Path kernelFile(Path directory, Manifest.KernelFiles kernel) {
        return directory.resolve(NewImage.KERNELS).resolve(kernel.name()).resolve("kernel");
    }

    private static Path initrdFile(Path directory, Manifest.KernelFiles kernel) {
        return directory.resolve(NewImage.KERNELS).resolve(kernel.name()).resolve("initrd");
    }

    private Path directory(String digest) {
        return root.resolve("images").resolve(digest.replace(':', '-'));
    }

    private Path stampFile(String digest) {
        return root.resolve("verified").resolve(digest.replace(':', '-'));
    }

    private VseException unknown(String reference) {
        List<String> known = list().stream().map(Image::reference).toList();
        VseException error = VseException.of(ErrorCode.IMAGE_UNKNOWN, "there is no image '" + reference + "'");
        List<String> words = new ArrayList<>(known);
        known.forEach(name -> words.add(name.substring(0, name.indexOf(':'))));
        DidYouMean.of(reference, words).ifPresent(near -> error.fact("did you mean", near));
        return error.fact("known", known.isEmpty() ? "none" : String.join(", ", known))
                .next("vse image ls");
    }

    private static VseException corrupt(String digest, String what) {
        return VseException.of(ErrorCode.IMAGE_CORRUPT, "image '" + digest + "' is damaged: " + what)
                .next("build or pull the image again");
    }

    private <T> T io(StoreLock.Work<T> work) {
        try {
            return work.run();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the image store '" + root + "' failed")
                    .fact("reason", e)
                    .because(e);
        }
    }
}
