package galewatch.spark;

import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;

/**
 * A reading on its way to the tables.
 *
 * @param values one for each of the tables' columns, in their order; null where nothing was measured
 */
record Reading(
        String stationId,
        String source,
        Instant observedAt,
        String origin,
        int revision,
        boolean onTime,
        List<Object> values)
        implements Judged {
    private static final String SELFTEST = "selftest";

    /**
     * Reads a row of the query's.
     *
     * @param columns the names of the row's fields
     */
    static Reading of(List<String> columns, Row row, boolean onTime) {
        Object[] values = new Object[columns.size()];
        for (int at = 0; at < values.length; at++) {
            Object value = row.get(at);
            values[at] = value instanceof Timestamp ? EventTime.instant(value) : value;
        }
        return new Reading(
                (String) values[columns.indexOf("station_id")],
                (String) values[columns.indexOf("source")],
                (Instant) values[columns.indexOf("observed_at")],
                (String) values[columns.indexOf("origin")],
                (Integer) values[columns.indexOf("revision")],
                onTime,
                Arrays.asList(values));
    }

    boolean isSelftest() {
        return SELFTEST.equals(origin);
    }

    /** Tells whether an earlier version of the event may have had values that this one has not. */
    boolean isRevised() {
        return revision > 1;
    }

    /** Gives the write time of the row of the observation, in microseconds. */
    long observationMicros() {
        return EventTime.writeMicros(observedAt, revision, onTime);
    }

    /** Gives the write time of the row of the latest, in microseconds. */
    long latestMicros() {
        return EventTime.writeMicros(observedAt, revision);
    }

    /** Gives the day (UTC) of the observation. */
    LocalDate day() {
        return EventTime.day(observedAt);
    }

    /** Gives the one of two that stays. */
    static Reading newer(Reading one, Reading other) {
        return one.latestMicros() > other.latestMicros() ? one : other;
    }
}
