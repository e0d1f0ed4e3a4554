package galewatch.spark;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.Row;

/**
 * The sink of the readings: takes every message as the query has judged it, (partition, offset, reading, on_time, reason, key,
 * value, topic, timestamp, schema_id), and brings a reading into both tables, poison onto the topic of the dead letters.
 */
public final class ReadingWriter extends DeliveringWriter<Judged> {
    private static final Map<String, Outlet<Judged>> OUTLETS = new ConcurrentHashMap<>();

    private final WriterSettings settings;
    private final List<String> columns;

    /**
     * Makes the writer.
     *
     * @param settings where it writes; the topic is that of the dead letters
     * @param columns the fields of `reading`, and the columns of both tables
     */
    public ReadingWriter(WriterSettings settings, List<String> columns) {
        this.settings = settings;
        this.columns = List.copyOf(columns);
    }

    @Override
    Outlet<Judged> outlet() {
        return OUTLETS.computeIfAbsent(settings.name(), name -> {
            ReadingTables tables =
                    new ReadingTables(settings.cassandra().session(), columns, settings.selftestTtlSeconds());
            return new Outlet<>(
                    settings, (retries, topic) -> new Readings(tables, settings.topic(), topic, retries));
        });
    }

    @Override
    void process(Row row, Lane<Judged> lane) throws InterruptedException {
        int partition = row.getInt(0);
        long offset = row.getLong(1);
        Judged message = row.isNullAt(4)
                ? Reading.of(columns, row.getStruct(2), row.getBoolean(3))
                : new DeadLetter(
                        row.getAs(5),
                        row.getAs(6),
                        row.getString(4),
                        row.getString(7),
                        partition,
                        offset,
                        EventTime.instant(row.get(8)),
                        row.getAs(9));
        lane.send(partition, offset, List.of(message));
    }
}
