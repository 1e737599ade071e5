package org.vse.ledger;

import java.sql.Connection;
import java.sql.SQLException;

/** What is different between the databases that hold a ledger. */
interface Engine {
    /** A new connection, not committing by itself, for anything. */
    Connection connect() throws SQLException;

    Migrations migrations();

    /** Where the database is, for people. */
    String place();

    /** True when the storage has no room left. */
    boolean isFull(SQLException e);

    /** True for a database of its own process, which may be away while the ledger goes on. */
    boolean mayBeAway();

    /** Name of the function of several values that gives the least of them. */
    String least();

    /** Name of the function of several values that gives the greatest of them. */
    String greatest();
}
