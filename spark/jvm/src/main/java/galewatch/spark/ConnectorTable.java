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
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A table that is written through the Spark–Cassandra connector.
 *
 * <p>Its `DataFrameWriter` format asks Cassandra for the schema before each write, some ten queries, and plans the write anew.
 * Here the connector's own writer is made once. The write time is no column of the frame's: a plan with another constant in
 * each batch would be compiled anew for each, and never be fast.
 */
public final class ConnectorTable {
    private static final String TIME = "write_micros";

    private final TableWriter<Row> writer;

    /**
     * Asks for the table's schema and makes the writer.
     *
     * @param connector the connector's settings, login included
     * @param columns of the rows that will be written, in their order, with the one that follows
     * @param ttlColumn the seconds that a row lives; null leaves it to the table
     */
    public ConnectorTable(
            Map<String, String> connector,
            String keyspace,
            String table,
            List<String> columns,
            String ttlColumn) {
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
                TimestampOption.perRow(TIME),
                usual.taskMetricsEnabled(),
                usual.executeAs());
        writer = TableWriter.apply(
                cassandra,
                schema,
                CassandraJavaUtil.someColumns(
                        Stream.concat(columns.stream(), Stream.of(TIME)).toArray(String[]::new)),
                conf,
                true,
                SqlRowWriter.Factory$.MODULE$);
    }

    /** Writes rows with this write time, in microseconds since 1970; returns when Cassandra has all of them. */
    public void write(Dataset<Row> rows, long writeMicros) {
        TableWriter<Row> sent = writer;
        rows.toJavaRDD()
                .map(row -> timed(row, writeMicros))
                .foreachPartition(part -> sent.write(TaskContext.get(), CollectionConverters.asScala(part)));
    }

    static Row timed(Row row, long writeMicros) {
        Object[] values = new Object[row.size() + 1];
        for (int at = 0; at < row.size(); at++) {
            values[at] = row.get(at);
        }
        values[row.size()] = writeMicros;
        return RowFactory.create(values);
    }
}
