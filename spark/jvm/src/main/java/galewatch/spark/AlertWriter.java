package galewatch.spark;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.Row;

/**
 * The sink of the alerts: takes rows (partition, offset, alerts), one for each message, and brings every alert into both
 * tables and onto the topic. Messages without alerts come, too: by them it knows how far it has got.
 */
public final class AlertWriter extends DeliveringWriter<Alert> {
    private static final Map<String, Outlet<Alert>> OUTLETS = new ConcurrentHashMap<>();

    private final WriterSettings settings;
    private final long schemaId;
    private final String schema;

    /**
     * Makes the writer.
     *
     * @param settings where it writes; the topic is that of the alerts
     * @param schemaId the registry's id of the alerts' schema
     * @param schema that schema
     */
    public AlertWriter(WriterSettings settings, long schemaId, String schema) {
        this.settings = settings;
        this.schemaId = schemaId;
        this.schema = schema;
    }

    @Override
    Outlet<Alert> outlet() {
        return OUTLETS.computeIfAbsent(settings.name(), name -> {
            AlertTables tables =
                    new AlertTables(settings.cassandra().session(), settings.selftestTtlSeconds());
            AlertMessages messages = new AlertMessages(settings.topic(), schemaId, schema);
            return new Outlet<>(settings, (retries, topic) -> new Alerts(tables, messages, topic, retries));
        });
    }

    @Override
    void process(Row row, Lane<Alert> lane) throws InterruptedException {
        if (row.isNullAt(2)) {
            lane.pass(row.getInt(0), row.getLong(1));
            return;
        }
        List<Row> alerts = row.getList(2);
        lane.send(row.getInt(0), row.getLong(1), alerts.stream().map(Alert::of).toList());
    }
}
