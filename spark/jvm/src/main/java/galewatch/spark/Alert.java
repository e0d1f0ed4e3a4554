package galewatch.spark;

import java.time.Instant;
import java.time.LocalDate;
import org.apache.spark.sql.Row;

/** One alert as the query gives it: the fields of alert.v1.avsc, in its order. */
record Alert(
        String alertId,
        String ruleId,
        String severity,
        String stationId,
        Instant observedAt,
        String source,
        String origin,
        String eventId,
        int revision,
        String metric,
        double value,
        double threshold,
        String unit,
        String message,
        Instant raisedAt) {
    static Alert of(Row row) {
        return new Alert(
                row.getString(0),
                row.getString(1),
                row.getString(2),
                row.getString(3),
                EventTime.instant(row.get(4)),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getInt(8),
                row.getString(9),
                row.getDouble(10),
                row.getDouble(11),
                row.getString(12),
                row.getString(13),
                EventTime.instant(row.get(14)));
    }

    /** Gives the day (UTC) of the observation. */
    LocalDate day() {
        return EventTime.day(observedAt);
    }

    /** Gives the write time of the rows, in microseconds. */
    long writeMicros() {
        return EventTime.writeMicros(observedAt, revision);
    }
}
