package galewatch.spark;

import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;

/** What the time of an observation means for the rows of its event. */
final class EventTime {
    private static final int REVISIONS = 999;
    private static final long MICROS = 1_000_000;

    private EventTime() {}

    /** Takes a column of Spark's: which type it gives for a time is a setting of the session. */
    static Instant instant(Object value) {
        return value instanceof Timestamp timestamp ? timestamp.toInstant() : (Instant) value;
    }

    /** Gives the day (UTC) of an observation. */
    static LocalDate day(Instant observedAt) {
        return LocalDate.ofInstant(observedAt, ZoneOffset.UTC);
    }

    /**
     * Gives the write time of an event's row, in microseconds: its observation, and within that its revision.
     *
     * <p>Cassandra keeps the cell with the greatest write time. So an older reading that arrives later, a replayed one and a
     * revision overtaken by a later one all lose. Observations are whole milliseconds, which leaves room for the revision.
     */
    static long writeMicros(Instant observedAt, int revision) {
        return micros(observedAt) + Math.min(revision, REVISIONS);
    }

    /**
     * Gives the write time of a row that tells whether its event came on time: of copies of one revision, one that did stays,
     * and none that comes again too late.
     */
    static long writeMicros(Instant observedAt, int revision, boolean onTime) {
        return micros(observedAt) + 2L * Math.min(revision, REVISIONS / 2) + (onTime ? 1 : 0);
    }

    private static long micros(Instant instant) {
        return instant.getEpochSecond() * MICROS + instant.getNano() / 1000;
    }
}
