/** What batch systems have charged, and what explains its difference from what the ledger says. */
@NullMarked
package org.vse.ledger.charge;

import org.jspecify.annotations.NullMarked;
