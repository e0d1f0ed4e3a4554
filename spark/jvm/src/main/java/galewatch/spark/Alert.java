package galewatch.spark;

import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
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
    private static final int REVISIONS = 999;
    private static final long MICROS = 1_000_000;

    static Alert of(Row row) {
        return new Alert(
                row.getString(0),
                row.getString(1),
                row.getString(2),
                row.getString(3),
                instant(row.get(4)),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getInt(8),
                row.getString(9),
                row.getDouble(10),
                row.getDouble(11),
                row.getString(12),
                row.getString(13),
                instant(row.get(14)));
    }

    /** Gives the day (UTC) of the observation. */
    LocalDate day() {
        return LocalDate.ofInstant(observedAt, ZoneOffset.UTC);
    }

    /**
     * Gives the write time of the rows, in microseconds: the observation, and within that its revision, so that of two
     * versions Cassandra keeps the later revision, whichever came last. Observations are whole milliseconds.
     */
    long writeMicros() {
        return observedAt.getEpochSecond() * MICROS + observedAt.getNano() / 1000 + Math.min(revision, REVISIONS);
    }

    // Which of the two Spark gives is a setting of the session.
    private static Instant instant(Object value) {
        return value instanceof Timestamp timestamp ? timestamp.toInstant() : (Instant) value;
    }
}
