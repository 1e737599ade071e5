package org.vse.test.house.ruin.ledger;

/** Has no name yet. */
final class LedgerManager {
    static final int CONSTANT = 1;
    static LedgerManager instance = new LedgerManager();
}
