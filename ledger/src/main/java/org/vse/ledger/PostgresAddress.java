package org.vse.ledger;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL database is, as libpq writes it (PostgreSQL, 34.1.1.2 "Connection URIs"):
 * {@code postgresql://vse@db.example.org:5432/ledger}, or {@code postgresql://vse@/ledger?host=/run/postgresql} for a
 * Unix socket, over which the server knows who calls.
 *
 * @param socketDirectory null for TCP
 * @param password null where the server asks for none
 */
public record PostgresAddress(
        String user,
        @Nullable String host,
        int port,
        String database,
        @Nullable Path socketDirectory,
        @Nullable String password) {
    private static final int PORT = 5432;

    /**
     * Reads such an address.
     *
     * @throws IllegalArgumentException saying what is wrong with it
     */
    public static PostgresAddress parse(String text) {
        URI uri;
        try {
            // java.net.URI wants a host in front of the path.
            uri = new URI(text.replaceFirst("@/", "@socket.invalid/"));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("not a URI: " + e.getReason(), e);
        }
        String path = uri.getPath();
        boolean isSocket = "socket.invalid".equals(uri.getHost());
        String query = uri.getQuery();
        if (!"postgresql".equals(uri.getScheme())
                || uri.getUserInfo() == null
                || uri.getUserInfo().indexOf(':') >= 0
                || uri.getHost() == null
                || path == null
                || !path.matches("/[^/]+")
                || uri.getFragment() != null
                || isSocket != (query != null && query.matches("host=/[^&]*"))
                || (!isSocket && query != null)) {
            throw new IllegalArgumentException(
                    "expected postgresql://USER@HOST[:PORT]/DATABASE or postgresql://USER@/DATABASE?host=/DIRECTORY");
        }
        return new PostgresAddress(
                uri.getUserInfo(),
                isSocket ? null : uri.getHost(),
                uri.getPort() < 0 ? PORT : uri.getPort(),
                path.substring(1),
                isSocket && query != null ? Path.of(query.substring("host=".length())) : null,
                null);
    }

    public PostgresAddress withPassword(String newPassword) {
        return new PostgresAddress(user, host, port, database, socketDirectory, newPassword);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return socketDirectory == null
                ? "postgresql://" + user + "@" + host + ":" + port + "/" + database
                : "postgresql://" + user + "@/" + database + "?host=" + socketDirectory;
    }
}
