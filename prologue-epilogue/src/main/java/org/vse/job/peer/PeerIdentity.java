package org.vse.job.peer;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What a node proves itself with to other nodes, and whom it believes: the site's authority and nobody else. TLS 1.3 only;
 * both sides show a certificate.
 *
 * @param node name in the certificate
 * @param until when the certificate ends
 * @param server for connections that others open
 * @param client for connections to others; the name of the other is checked with each
 */
public record PeerIdentity(String node, Instant until, SslContext server, SslContext client) {
    /** The authority's certificate. */
    public static final String AUTHORITY = "ca.pem";

    /** The node's certificate. */
    public static final String CERTIFICATE = "node.pem";

    /** The node's private key. */
    public static final String KEY = "node.key";

    /** Before a certificate ends, its site is told for so long. */
    public static final Duration WARNING = Duration.ofDays(30);

    private static final String TLS = "TLSv1.3";
    private static final int DNS_NAME = 2;

    /**
     * Reads the three files of a node.
     *
     * @param node name that the certificate must have
     * @throws VseException CERTIFICATE_INVALID naming the file that cannot be used and why
     */
    public static PeerIdentity read(Path directory, String node, Instant now) {
        Path authority = directory.resolve(AUTHORITY);
        Path certificate = directory.resolve(CERTIFICATE);
        Path key = directory.resolve(KEY);
        requireSecret(key);
        X509Certificate issuer = certificate(authority);
        X509Certificate own = certificate(certificate);
        String found = nodeOf(own).orElse("");
        if (!found.equals(node)) {
            throw invalid(certificate, "it is not of this node")
                    .fact("found", found)
                    .fact("node", node)
                    .next("vse certs issue " + node);
        }
        Instant until = own.getNotAfter().toInstant();
        if (now.isAfter(until) || now.isBefore(own.getNotBefore().toInstant())) {
            throw invalid(certificate, "it is not valid now")
                    .fact("valid", own.getNotBefore().toInstant() + " to " + until)
                    .next("vse certs issue " + node + ", and see that this host's clock is right");
        }
        try {
            own.verify(issuer.getPublicKey());
        } catch (java.security.GeneralSecurityException e) {
            throw invalid(certificate, "it was not made by the authority beside it")
                    .because(e);
        }
        try {
            SslContextBuilder server = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .clientAuth(ClientAuth.REQUIRE);
            SslContextBuilder client = SslContextBuilder.forClient().keyManager(certificate.toFile(), key.toFile());
            return new PeerIdentity(node, until, context(server, authority), context(client, authority));
        } catch (IOException | IllegalArgumentException e) {
            throw invalid(key, "it is not the key of " + certificate.getFileName())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static SslContext context(SslContextBuilder builder, Path authority) throws IOException {
        return builder.sslProvider(SslProvider.JDK)
                .trustManager(authority.toFile())
                .protocols(TLS)
                .build();
    }

    /** The node that a certificate is of: its only DNS name; empty when it has none or several. */
    public static Optional<String> nodeOf(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            List<String> dns = names == null
                    ? List.of()
                    : names.stream()
                            .filter(name -> Integer.valueOf(DNS_NAME).equals(name.get(0)))
                            .map(name -> String.valueOf(name.get(1)))
                            .toList();
            return dns.size() == 1 ? Optional.of(dns.get(0)) : Optional.empty();
        } catch (CertificateParsingException e) {
            throw VseException.of(ErrorCode.CERTIFICATE_INVALID, "a certificate's names cannot be read")
                    .because(e);
        }
    }

    /** Reads one certificate of a PEM file. */
    static X509Certificate certificate(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        } catch (IOException | CertificateException e) {
            throw invalid(file, "it cannot be read")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /**
     * When a certificate ends.
     *
     * @throws VseException CERTIFICATE_INVALID when the file cannot be read
     */
    public static Instant until(Path certificate) {
        return certificate(certificate).getNotAfter().toInstant();
    }

    private static void requireSecret(Path key) {
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(key);
            mode.removeAll(Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
            if (!mode.isEmpty()) {
                throw invalid(key, "others than its owner may use it").next("chmod 600 " + key);
            }
        } catch (IOException e) {
            throw invalid(key, "it cannot be read")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static VseException invalid(Path file, String why) {
        return VseException.of(ErrorCode.CERTIFICATE_INVALID, "a file of this node's identity cannot be used: " + why)
                .at(file.toString())
                .next("vse certs issue");
    }
}
