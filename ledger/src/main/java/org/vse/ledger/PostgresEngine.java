package org.vse.ledger;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/** A database of a PostgreSQL server. */
record PostgresEngine(PostgresAddress address, Migrations migrations) implements Engine {
    private static final String DISK_FULL = "53100";
    private static final String CONNECT_SECONDS = "5";
    private static final String ANSWER_SECONDS = "120";

    @Override
    public Connection connect() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", address.user());
        String password = address.password();
        if (password != null) {
            properties.setProperty("password", password);
        }
        properties.setProperty("connectTimeout", CONNECT_SECONDS);
        properties.setProperty("socketTimeout", ANSWER_SECONDS);
        properties.setProperty("ApplicationName", "vsed");
        // A sum over millions of rows takes longer compiled than run.
        properties.setProperty("options", "-c jit=off");
        Path sockets = address.socketDirectory();
        if (sockets != null) {
            properties.setProperty("socketFactory", UnixSockets.class.getName());
            properties.setProperty(
                    "socketFactoryArg",
                    sockets.resolve(".s.PGSQL." + address.port()).toString());
            properties.setProperty("sslmode", "disable");
        }
        Connection connection = DriverManager.getConnection(url(), properties);
        connection.setAutoCommit(false);
        return connection;
    }

    private String url() {
        return "jdbc:postgresql://" + (address.host() == null ? "localhost" : address.host()) + ":" + address.port()
                + "/" + URLEncoder.encode(address.database(), StandardCharsets.UTF_8);
    }

    @Override
    public String place() {
        return address.toString();
    }

    @Override
    public boolean isFull(SQLException e) {
        return DISK_FULL.equals(e.getSQLState());
    }

    @Override
    public boolean mayBeAway() {
        return true;
    }

    @Override
    public String least() {
        return "LEAST";
    }

    @Override
    public String greatest() {
        return "GREATEST";
    }
}
