package galewatch.spark;

import java.io.Serializable;
import java.util.Map;

/**
 * What the alerts' writer is told.
 *
 * @param query the query's name, as query_progress has it
 * @param copy which of the copies of the query this is
 * @param cassandra where the tables are
 * @param selftestTtlSeconds how long rows of the self-test live
 * @param producer the configuration of Kafka's producer, login included
 * @param topic where the alerts go
 * @param schemaId the registry's id of the alerts' schema
 * @param schema that schema
 * @param beat the file that tells the driver how the writer is
 */
public record AlertSettings(
        String query,
        int copy,
        CassandraAccess cassandra,
        int selftestTtlSeconds,
        Map<String, String> producer,
        String topic,
        long schemaId,
        String schema,
        String beat)
        implements Serializable {
    /** Never shows the logins. */
    @Override
    public String toString() {
        return "AlertSettings[" + query + "-" + copy + "]";
    }
}
