/** What happened: events and intervals, durable before they are reported. */
@NullMarked
package org.vse.ledger;

import org.jspecify.annotations.NullMarked;
