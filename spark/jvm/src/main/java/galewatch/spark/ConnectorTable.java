package galewatch.spark;

import com.datastax.spark.connector.cql.CassandraConnector;
import com.datastax.spark.connector.cql.TableDef;
import com.datastax.spark.connector.japi.CassandraJavaUtil;
import com.datastax.spark.connector.writer.SqlRowWriter;
import com.datastax.spark.connector.writer.TTLOption;
import com.datastax.spark.connector.writer.TableWriter;
import com.datastax.spark.connector.writer.TimestampOption;
import com.datastax.spark.connector.writer.WriteConf;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A table that is written through the Spark–Cassandra connector.
 *
 * <p>Its `DataFrameWriter` format asks Cassandra for the schema before each write, some ten queries, and plans the write anew:
 * for a micro-batch of a few hundred rows that is most of the work. Here the connector's own writer is made once.
 */
public final class ConnectorTable {
    private final TableWriter<Row> writer;

    /**
     * Asks for the table's schema and makes the writer.
     *
     * @param connector the connector's settings, login included
     * @param columns of the rows that will be written, in their order, with the two that follow
     * @param ttlColumn the seconds that a row lives; null leaves it to the table
     * @param timeColumn the write time of a row, in microseconds since 1970
     */
    public ConnectorTable(
            Map<String, String> connector,
            String keyspace,
            String table,
            List<String> columns,
            String ttlColumn,
            String timeColumn) {
        SparkConf settings = new SparkConf(false);
        connector.forEach(settings::set);
        CassandraConnector cassandra = CassandraConnector.apply(settings);
        TableDef schema = com.datastax.spark.connector.util.package$.MODULE$.tableFromCassandra(cassandra, keyspace, table);
        WriteConf usual = WriteConf.fromSparkConf(settings);
        WriteConf conf = usual.copy(
                usual.batchSize(),
                usual.batchGroupingBufferSize(),
                usual.batchGroupingKey(),
                usual.consistencyLevel(),
                usual.ifNotExists(),
                usual.ignoreNulls(),
                usual.parallelismLevel(),
                usual.throughputMiBPS(),
                TTLOption.perRow(ttlColumn),
                TimestampOption.perRow(timeColumn),
                usual.taskMetricsEnabled(),
                usual.executeAs());
        writer = TableWriter.apply(
                cassandra,
                schema,
                CassandraJavaUtil.someColumns(columns.toArray(String[]::new)),
                conf,
                true,
                SqlRowWriter.Factory$.MODULE$);
    }

    /** Writes rows; returns when Cassandra has all of them. */
    public void write(Dataset<Row> rows) {
        TableWriter<Row> sent = writer;
        rows.toJavaRDD()
                .foreachPartition(part -> sent.write(TaskContext.get(), CollectionConverters.asScala(part)));
    }
}
