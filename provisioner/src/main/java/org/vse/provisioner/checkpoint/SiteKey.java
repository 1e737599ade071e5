package org.vse.provisioner.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The secret that tells what this site saved from what it did not: HMAC-SHA256 (RFC 2104). All nodes that are to restore each
 * other's sets have the same one.
 */
public final class SiteKey {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int BYTES = 32;
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");

    private final SecretKeySpec key;

    private SiteKey(byte[] key) {
        this.key = new SecretKeySpec(key, ALGORITHM);
    }

    /**
     * The key in a file: {@value #BYTES} bytes as hexadecimal digits. A missing file is made with a new key; of several who
     * make it at once, one wins.
     *
     * @throws VseException CONFIG_INVALID when it is not a key or others than its owner may touch it, STORAGE_FAILED
     */
    public static SiteKey in(Path file) {
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                make(file);
            }
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS);
            if (!PRIVATE.containsAll(mode)) {
                throw invalid(file, "mode " + PosixFilePermissions.toString(mode))
                        .next("chmod 600 " + file);
            }
            String text = Files.readString(file, StandardCharsets.US_ASCII).strip();
            if (!text.matches("[0-9a-f]{" + 2 * BYTES + "}")) {
                throw invalid(file, text.length() + " characters")
                        .next("copy the key of another node, or delete the file when nothing saved is wanted any more");
            }
            return new SiteKey(HexFormat.of().parseHex(text));
        } catch (IOException e) {
            throw VseException.storage("the key of the checkpoints cannot be read or made", file, e);
        }
    }

    /** The authentication code of a text, hexadecimal. */
    String sign(byte[] text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return HexFormat.of().formatHex(mac.doFinal(text));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }

    /** Whether a text was signed with this key. Takes the same time whatever the code is. */
    boolean signed(byte[] text, String code) {
        return MessageDigest.isEqual(
                sign(text).getBytes(StandardCharsets.US_ASCII), code.getBytes(StandardCharsets.UTF_8));
    }

    private static void make(Path file) throws IOException {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        Path part = Files.createTempFile(
                file.resolveSibling(""), "key", ".part", PosixFilePermissions.asFileAttribute(PRIVATE));
        try {
            Files.writeString(
                    part, HexFormat.of().formatHex(bytes) + "\n", StandardOpenOption.WRITE, StandardOpenOption.SYNC);
            Files.createLink(file, part);
        } catch (FileAlreadyExistsException somebodyElsesIsAsGood) {
            return;
        } finally {
            Files.delete(part);
        }
    }

    private static VseException invalid(Path file, String found) {
        return VseException.of(ErrorCode.CONFIG_INVALID, "the file is not a private key of checkpoints")
                .at(file.toString())
                .fact("found", found);
    }
}
