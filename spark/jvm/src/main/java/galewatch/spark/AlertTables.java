package galewatch.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The tables of the alerts: by station and by day. */
final class AlertTables {
    private static final String SELFTEST = "selftest";
    private static final String FIELDS = "station_id, observed_at, rule_id, source, severity, origin, event_id, revision, "
            + "metric, value, threshold, unit, message, raised_at";
    private static final String MARKS = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

    private final CqlSession session;
    private final int selftestTtlSeconds;
    private final PreparedStatement byStation;
    private final PreparedStatement byDay;
    private final PreparedStatement byStationShort;
    private final PreparedStatement byDayShort;

    AlertTables(CqlSession session, int selftestTtlSeconds) {
        this.session = session;
        this.selftestTtlSeconds = selftestTtlSeconds;
        String station = "INSERT INTO alerts_by_station (" + FIELDS + ") VALUES (" + MARKS + ") USING TIMESTAMP ?";
        String day = "INSERT INTO alerts_by_day (" + FIELDS + ", day) VALUES (" + MARKS + ", ?) USING TIMESTAMP ?";
        byStation = session.prepare(station);
        byDay = session.prepare(day);
        // Without a TTL of its own a row has its table's.
        byStationShort = session.prepare(station + " AND TTL ?");
        byDayShort = session.prepare(day + " AND TTL ?");
    }

    CompletionStage<?> writeByStation(Alert alert) {
        boolean selftest = SELFTEST.equals(alert.origin());
        List<Object> values = values(alert);
        values.add(alert.writeMicros());
        return session.executeAsync(bind(selftest ? byStationShort : byStation, values, selftest));
    }

    CompletionStage<?> writeByDay(Alert alert) {
        boolean selftest = SELFTEST.equals(alert.origin());
        List<Object> values = values(alert);
        values.add(alert.day());
        values.add(alert.writeMicros());
        return session.executeAsync(bind(selftest ? byDayShort : byDay, values, selftest));
    }

    private BoundStatement bind(PreparedStatement statement, List<Object> values, boolean selftest) {
        if (selftest) {
            values.add(selftestTtlSeconds);
        }
        return statement.bind(values.toArray());
    }

    private static List<Object> values(Alert alert) {
        return new ArrayList<>(List.of(
                alert.stationId(),
                alert.observedAt(),
                alert.ruleId(),
                alert.source(),
                alert.severity(),
                alert.origin(),
                alert.eventId(),
                alert.revision(),
                alert.metric(),
                alert.value(),
                alert.threshold(),
                alert.unit(),
                alert.message(),
                alert.raisedAt()));
    }
}
