package org.vse.job.peer;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The site's own authority: {@code ca.pem} for every node, {@code ca.key} for a place that is none. Keys are of the curve
 * P-256, as of RFC 8446.
 *
 * @param directory where the two files are
 */
public record SiteAuthority(Path directory) {
    /** The authority's private key. */
    public static final String KEY = "ca.key";

    private static final Duration SKEW = Duration.ofMinutes(5);
    private static final SecureRandom RANDOM = new SecureRandom();

    /**
     * Makes an authority.
     *
     * @param site name of the site in its certificate
     * @throws VseException STORAGE_FAILED when there is one already: nothing is overwritten
     */
    public void init(String site, Duration validity, Instant now) {
        KeyPair keys = keys();
        X500Name name = new X500Name("CN=VSE authority of " + site);
        X509Certificate certificate = sign(name, name, keys.getPublic(), keys.getPrivate(), validity, now, builder -> {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        });
        make(directory);
        write(directory.resolve(KEY), "PRIVATE KEY", keys.getPrivate().getEncoded(), "rw-------");
        write(directory.resolve(PeerIdentity.AUTHORITY), "CERTIFICATE", encoded(certificate), "rw-r--r--");
    }

    /**
     * Makes the files of a node.
     *
     * @param node one label of a host name
     * @param out directory that gets the node's certificate, its key and the authority's certificate
     * @throws VseException CERTIFICATE_INVALID when there is no authority, STORAGE_FAILED when the node has files already
     */
    public void issue(String node, Path out, Duration validity, Instant now) {
        Path authority = directory.resolve(PeerIdentity.AUTHORITY);
        X509Certificate issuer = PeerIdentity.certificate(authority);
        PrivateKey key = key(directory.resolve(KEY));
        KeyPair keys = keys();
        X500Name by = X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded());
        X509Certificate certificate =
                sign(new X500Name("CN=" + node), by, keys.getPublic(), key, validity, now, builder -> {
                    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
                    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
                    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }));
                    builder.addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(new GeneralName(GeneralName.dNSName, node)));
                });
        make(out);
        write(out.resolve(PeerIdentity.KEY), "PRIVATE KEY", keys.getPrivate().getEncoded(), "rw-------");
        write(out.resolve(PeerIdentity.CERTIFICATE), "CERTIFICATE", encoded(certificate), "rw-r--r--");
        write(out.resolve(PeerIdentity.AUTHORITY), "CERTIFICATE", encoded(issuer), "rw-r--r--");
    }

    @FunctionalInterface
    private interface Extensions {
        void add(JcaX509v3CertificateBuilder builder) throws IOException;
    }

    private static X509Certificate sign(
            X500Name subject,
            X500Name issuer,
            PublicKey key,
            PrivateKey by,
            Duration validity,
            Instant now,
            Extensions extensions) {
        try {
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    issuer,
                    new BigInteger(127, RANDOM),
                    Date.from(now.minus(SKEW)),
                    Date.from(now.plus(validity)),
                    subject,
                    key);
            extensions.add(builder);
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by)));
        } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("a certificate cannot be made", e);
        }
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has P-256", e);
        }
    }

    private static PrivateKey key(Path file) {
        try {
            String text = Files.readString(file).replaceAll("-----[A-Z ]+-----|\\s", "");
            return KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw VseException.of(ErrorCode.CERTIFICATE_INVALID, "the authority's key cannot be read")
                    .at(file.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("vse certs init, or give the directory of the authority by --authority")
                    .because(e);
        }
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that was just made has no encoding", e);
        }
    }

    private static void make(Path directory) {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
    }

    private static void write(Path file, String what, byte[] der, String mode) {
        String text = "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n";
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
            Files.writeString(file, text, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static VseException unwritable(Path file, IOException e) {
        boolean there = e instanceof java.nio.file.FileAlreadyExistsException;
        return VseException.of(
                        ErrorCode.STORAGE_FAILED,
                        there ? "there is one already, and nothing is overwritten" : "it cannot be written")
                .at(file.toString())
                .fact("reason", String.valueOf(e))
                .next(there ? "move it away if it is not wanted any more" : "see the directory's permissions")
                .because(e);
    }
}
