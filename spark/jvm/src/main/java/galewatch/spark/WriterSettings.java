package galewatch.spark;

import java.io.Serializable;
import java.util.Map;

/**
 * What every writer is told.
 *
 * @param query the query's name, as query_progress has it
 * @param copy which of the copies of the query this is
 * @param cassandra where the tables are
 * @param selftestTtlSeconds how long rows of the self-test live
 * @param producer the configuration of Kafka's producer, login included
 * @param topic the topic that is written to
 * @param beat the file that tells the driver how the writer is
 */
public record WriterSettings(
        String query,
        int copy,
        CassandraAccess cassandra,
        int selftestTtlSeconds,
        Map<String, String> producer,
        String topic,
        String beat)
        implements Serializable {
    /** What tells this copy of the query apart. */
    String name() {
        return query + "-" + copy;
    }

    /** Never shows the logins. */
    @Override
    public String toString() {
        return "WriterSettings[" + name() + "]";
    }
}
