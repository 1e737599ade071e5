package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
 * cached/sha256-HEX    the image was fetched by this node's {@link ImageCache}; when this file was last touched, it was used
 * partial/sha256-HEX/  what has arrived of an image that is being fetched
 * differences/HEX      which image was made for a difference: {@link DifferenceCache}
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

    static final Pattern TAGGED = Pattern.compile("([a-z0-9][a-z0-9._-]{0,63})(?::([a-z0-9][a-z0-9._-]{0,63}))?");
    static final Pattern DIGESTED = Pattern.compile("(?:([a-z0-9][a-z0-9._-]{0,63})@)?(sha256:[0-9a-f]{64})");

    private final Path root;
    private final StoreFiles files;
    private final ImageDirectories directories;
    private final ImageTags tags;
    private final @Nullable ImageStore beneath;
    private final @Nullable ImageCache cache;

    /** Nothing is created before the first write; a store that does not exist is empty. */
    public ImageStore(Path root) {
        this(root, null, null);
    }

    private ImageStore(Path root, @Nullable ImageStore beneath, @Nullable ImageCache cache) {
        this.root = root.toAbsolutePath().normalize();
        this.files = new StoreFiles(this.root);
        this.directories = new ImageDirectories(this.root);
        this.tags = new ImageTags(this.root, files);
        this.beneath = beneath;
        this.cache = cache;
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
        return new ImageStore(root, new ImageStore(beneath), null);
    }

    /** The same store, in which images of the cache's sources are found too. */
    public ImageStore backedBy(ImageCache sources) {
        return new ImageStore(root, beneath, sources);
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
        Optional<Image> here = find(reference);
        if (here.isEmpty() && cache != null) {
            here = cache.announced(reference);
        }
        return here.orElseThrow(() -> unknown(reference));
    }

    private Optional<Image> find(String reference) {
        Matcher digested = DIGESTED.matcher(reference);
        if (digested.matches()) {
            return byDigest(digested.group(2))
                    .filter(image -> digested.group(1) == null || image.name().equals(digested.group(1)));
        }
        Matcher tagged = TAGGED.matcher(reference);
        if (!tagged.matches()) {
            throw unknown(reference).fact("expected", "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX");
        }
        String name = tagged.group(1);
        String tag = Optional.ofNullable(tagged.group(2)).orElse(DEFAULT_TAG);
        return io(() -> {
            Optional<String> digest = tags.read(name + ":" + tag);
            if (digest.isPresent()) {
                return Optional.of(directories.load(digest.get(), name, tag));
            }
            return beneath == null ? Optional.<Image>empty() : beneath.find(reference);
        });
    }

    /**
     * The image with that digest, fetched when it is elsewhere.
     *
     * @throws VseException IMAGE_UNKNOWN when nobody has it; as {@link ImageCache#fetch}
     */
    public Image bring(String digest) {
        return cache == null ? byDigest(digest).orElseThrow(() -> unknown(digest)) : cache.fetch(digest);
    }

    /** The image with that digest, empty when it is not in this store. */
    public Optional<Image> byDigest(String digest) {
        if (!DIGESTED.matcher(digest).matches()) {
            return Optional.empty();
        }
        if (!directories.has(digest)) {
            return beneath == null ? Optional.empty() : beneath.byDigest(digest);
        }
        return Optional.of(io(() -> {
            String name = directories.manifest(digest).name();
            String tag = tags.of(digest).stream()
                    .filter(candidate -> candidate.startsWith(name + ":"))
                    .findFirst()
                    .map(candidate -> candidate.substring(name.length() + 1))
                    .orElse("");
            return directories.load(digest, name, tag);
        }));
    }

    /**
     * An image whose kernel shows what this node can do: this one or, when its disk boots itself, another of this store.
     *
     * @throws VseException IMAGE_UNKNOWN when there is none with a kernel
     */
    public Image withKernel(Image image) {
        return Stream.concat(Stream.of(image), list().stream())
                .filter(each -> !each.kernels().isEmpty())
                .findFirst()
                .orElseThrow(() -> VseException.of(
                                ErrorCode.IMAGE_UNKNOWN,
                                "image '" + image.reference()
                                        + "' boots from its disk, and no image of this node has a kernel to try KVM with")
                        .next("set accelerator in vsed.yaml, or: vse image build examples/images/debian-12.yaml"));
    }

    /** One image for every tag, sorted by reference. */
    public List<Image> list() {
        return io(() -> {
            List<Image> images = new ArrayList<>();
            for (String tagged : tags.all()) {
                Optional<String> digest = tags.read(tagged);
                if (digest.isPresent()) {
                    int colon = tagged.indexOf(':');
                    images.add(directories.load(digest.get(), tagged.substring(0, colon), tagged.substring(colon + 1)));
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
            Stamp before = directories.stamp(image.digest());
            directories.check(image.digest());
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
            Stamp now = directories.stamp(image.digest());
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

    /** The same as {@link #publish(Staging, NewImage, Retag)} for a tag that is free or points to the image already. */
    public Image publish(Staging staging, NewImage image) {
        return publish(staging, image, Retag.REFUSE);
    }

    /**
     * Makes an image of a staged directory that holds {@code disk.qcow2} and {@code kernels/NAME/kernel|initrd}, and points
     * a tag to it. An image that is there already is kept when it is good and replaced when it is damaged.
     *
     * @throws VseException IMAGE_EXISTS when the tag points to another image and must not be moved: nothing was added then;
     *     STORAGE_FAILED
     */
    public Image publish(Staging staging, NewImage image, Retag retag) {
        return io(() -> {
            Path tree = staging.directory();
            Manifest manifest = image.manifestOf(tree);
            String tagged = image.name() + ":" + image.tag();
            prepare(tree, manifest, image.origin());
            return locked(() -> {
                tags.requireFree(tagged, manifest.digest(), retag);
                install(tree, manifest);
                tags.set(tagged, manifest.digest());
                return directories.load(manifest.digest(), image.name(), image.tag());
            });
        });
    }

    /** Writes what an image's directory has beside its content, and makes all of it durable. */
    static void prepare(Path tree, Manifest manifest, Origin origin) throws IOException {
        Files.write(tree.resolve("manifest.yaml"), manifest.render());
        Files.writeString(tree.resolve("origin.yaml"), origin.render());
        StoreFiles.settle(tree, ImageDirectories.files(tree, manifest));
    }

    /** Moves a prepared tree, whose bytes are those of the manifest, into its place; the caller holds the store's lock. */
    void install(Path tree, Manifest manifest) throws IOException {
        String digest = manifest.digest();
        if (isGood(digest)) {
            return;
        }
        Path aside = root.resolve("incoming").resolve(UUID.randomUUID().toString());
        if (directories.has(digest)) {
            Files.move(directories.of(digest), aside, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(tree, directories.of(digest), StandardCopyOption.ATOMIC_MOVE);
        Staging.removeTree(aside);
        StoreFiles.force(root.resolve("images"));
        writeStamp(digest, ImageDirectories.stamp(directories.of(digest), manifest));
    }

    private boolean isGood(String digest) {
        if (!directories.has(digest)) {
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

    /** What looks after this store's own images; those of a store beneath belong to somebody else. */
    public StoreUpkeep upkeep() {
        return new StoreUpkeep(this, directories, tags);
    }

    ImageDirectories directories() {
        return directories;
    }

    ImageTags tags() {
        return tags;
    }

    /** Makes the store's directories. */
    void prepare() throws IOException {
        files.prepare();
    }

    private ImageStore holder(Image image) {
        return beneath != null && image.disk().startsWith(beneath.root) ? beneath : this;
    }

    <T> T locked(StoreLock.Work<T> work) throws IOException {
        return StoreLock.holding(root.resolve(".lock"), work);
    }

    private void writeStamp(String digest, Stamp stamp) throws IOException {
        files.replace(stampFile(digest), stamp.text());
    }

    /** Its last modification is the last use of a fetched image. */
    Path cachedFile(String digest) {
        return root.resolve("cached").resolve(digest.replace(':', '-'));
    }

    Path stampFile(String digest) {
        return root.resolve("verified").resolve(digest.replace(':', '-'));
    }

    VseException unknown(String reference) {
        List<String> known = list().stream().map(Image::reference).toList();
        VseException error = VseException.of(ErrorCode.IMAGE_UNKNOWN, "there is no image '" + reference + "'");
        List<String> words = new ArrayList<>(known);
        known.forEach(name -> words.add(name.substring(0, name.indexOf(':'))));
        DidYouMean.of(reference, words).ifPresent(near -> error.fact("did you mean", near));
        return error.fact("known", known.isEmpty() ? "none" : String.join(", ", known))
                .next("vse image ls");
    }

    <T> T io(StoreLock.Work<T> work) {
        try {
            return work.run();
        } catch (IOException e) {
            throw StoreFiles.failed(root, e);
        }
    }
}
