package galewatch.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The tables of the readings: all of them by station and day, and the latest of each station. */
final class ReadingTables {
    private final CqlSession session;
    private final int columns;
    private final int selftestTtlSeconds;
    private final PreparedStatement byStation;
    private final PreparedStatement byStationShort;
    private final PreparedStatement latest;
    private final PreparedStatement latestShort;

    /**
     * Prepares the statements.
     *
     * @param columns what both tables have of a reading, in the order of its values
     */
    ReadingTables(CqlSession session, List<String> columns, int selftestTtlSeconds) {
        this.session = session;
        this.columns = columns.size();
        this.selftestTtlSeconds = selftestTtlSeconds;
        String names = String.join(", ", columns);
        String marks = String.join(", ", Collections.nCopies(columns.size(), "?"));
        String station = "INSERT INTO readings_by_station (" + names + ", on_time, day) VALUES (" + marks
                + ", ?, ?) USING TIMESTAMP ?";
        String newest = "INSERT INTO latest_by_station (" + names + ") VALUES (" + marks + ") USING TIMESTAMP ?";
        byStation = session.prepare(station);
        latest = session.prepare(newest);
        // Without a TTL of its own a row has its table's.
        byStationShort = session.prepare(station + " AND TTL ?");
        latestShort = session.prepare(newest + " AND TTL ?");
    }

    /**
     * Writes readings of one station and day, all or none of them. What was not measured is not written, which makes no
     * tombstone; but a revision takes away what an earlier one had.
     */
    CompletionStage<?> writeByStation(List<Reading> readings) {
        if (readings.size() == 1) {
            return session.executeAsync(byStation(readings.get(0)));
        }
        // Of one partition, a batch is one mutation, whatever its size; nothing is logged apart.
        BatchStatementBuilder together = BatchStatement.builder(BatchType.UNLOGGED);
        readings.forEach(reading -> together.addStatement(byStation(reading)));
        return session.executeAsync(together.build());
    }

    /** Writes a reading as the latest of its station and source; what it has not measured goes away. */
    CompletionStage<?> writeLatest(Reading reading) {
        return session.executeAsync(
                built(bound(reading.isSelftest() ? latestShort : latest, reading, true), columns, reading, reading.latestMicros()));
    }

    private BoundStatement byStation(Reading reading) {
        BoundStatementBuilder bound = bound(reading.isSelftest() ? byStationShort : byStation, reading, reading.isRevised());
        bound.setBoolean(columns, reading.onTime()).setLocalDate(columns + 1, reading.day());
        return built(bound, columns + 2, reading, reading.observationMicros());
    }

    private BoundStatement built(BoundStatementBuilder bound, int next, Reading reading, long writeMicros) {
        bound.setLong(next, writeMicros);
        if (reading.isSelftest()) {
            bound.setInt(next + 1, selftestTtlSeconds);
        }
        return bound.build();
    }

    private static BoundStatementBuilder bound(PreparedStatement statement, Reading reading, boolean withNulls) {
        BoundStatementBuilder bound = statement.boundStatementBuilder();
        int at = 0;
        for (Object value : reading.values()) {
            set(bound, at++, value, withNulls);
        }
        return bound;
    }

    private static void set(BoundStatementBuilder bound, int at, Object value, boolean withNulls) {
        if (value instanceof String text) {
            bound.setString(at, text);
        } else if (value instanceof Double number) {
            bound.setDouble(at, number);
        } else if (value instanceof Integer number) {
            bound.setInt(at, number);
        } else if (value instanceof Instant time) {
            bound.setInstant(at, time);
        } else if (value != null) {
            throw new IllegalArgumentException("a reading has no values of the type " + value.getClass().getName());
        } else if (withNulls) {
            bound.setToNull(at);
        }
    }
}
