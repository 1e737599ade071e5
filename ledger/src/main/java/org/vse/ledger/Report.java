package org.vse.ledger;

import java.time.ZoneId;

/** An answer of the ledger, in any form. */
public sealed interface Report permits VmReport, UsageReport {
    /** Nothing ran in its time. */
    boolean isEmpty();

    /** Older ones were left out. */
    boolean more();

    /** @param zone of the times that people read; those for programs are in UTC */
    String render(ReportFormat format, ZoneId zone);
}
