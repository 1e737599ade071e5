package org.vse.ledger;

import java.util.Locale;

/** How a report is written. */
public enum ReportFormat {
    /** For people: aligned columns, local time, rounded sizes. */
    TABLE,
    /** For spreadsheets, RFC 4180: UTC in ISO 8601, seconds, bytes. */
    CSV,
    /** For programs: as the API of vsed answers. */
    JSON,
    /** For people: one page for a browser that needs nothing else. */
    HTML;

    /** As people and the API write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return word();
    }
}
