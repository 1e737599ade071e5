package org.vse.ledger;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A WHERE clause over table {@code vm_run r} and its values. */
final class Conditions {
    private final List<String> terms = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();

    /** What a query asks for. */
    static Conditions of(VmIntervalQuery query) {
        Conditions where = new Conditions();
        Instant until = query.until();
        if (until != null) {
            where.and("r.started < ?", Micros.of(until));
        }
        Instant since = query.since();
        if (since != null) {
            where.and("(r.ended IS NULL OR r.ended > ? OR r.started >= ?)", Micros.of(since), Micros.of(since));
        }
        where.andIfGiven("r.cluster = ?", query.cluster());
        where.andIfGiven("r.user_name = ?", query.user());
        where.andIfGiven("r.queue = ?", query.queue());
        where.andIfGiven("r.account = ?", query.account());
        where.andIfGiven("r.node = ?", query.node());
        String image = query.image();
        if (image != null) {
            where.and("(r.image = ? OR r.digest = ?)", image, image);
        }
        where.andIfGiven("r.job = ?", query.job());
        if (query.runningOnly()) {
            where.and("r.ended IS NULL");
        }
        return where;
    }

    Conditions and(String term, Object... termValues) {
        terms.add(term);
        values.addAll(Arrays.asList(termValues));
        return this;
    }

    Conditions andIfGiven(String term, @Nullable Object value) {
        return value == null ? this : and(term, value);
    }

    List<Object> values() {
        return values;
    }

    String text() {
        return terms.isEmpty() ? "" : " WHERE " + String.join(" AND ", terms);
    }
}
