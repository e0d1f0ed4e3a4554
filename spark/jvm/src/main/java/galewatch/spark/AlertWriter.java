package galewatch.spark;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.ForeachWriter;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The sink of the alerts: takes rows (partition, offset, alerts), one for each message, and brings every alert into both
 * tables and onto the topic. Messages without alerts come, too: by them it knows how far it has got.
 *
 * <p>Writes are asynchronous and repeated until they succeed; `close` waits for them. So a batch that is committed is
 * delivered, and one that is not is read again.
 */
public final class AlertWriter extends ForeachWriter<Row> {
    private static final long PATIENCE_MILLIS = 60_000;

    private final AlertSettings settings;
    private transient Outlet outlet;
    private transient Lane lane;

    public AlertWriter(AlertSettings settings) {
        this.settings = settings;
    }

    /** Opens session and producer on the executors, so that no alert has to wait for it; `tasks` fill every slot. */
    public void warmUp(SparkSession session, int tasks) {
        AlertSettings sent = settings;
        JavaSparkContext.fromSparkContext(session.sparkContext())
                .parallelize(IntStream.range(0, tasks).boxed().toList(), tasks)
                .foreachPartition(numbers -> Outlet.shared(sent));
    }

    @Override
    public boolean open(long partitionId, long epochId) {
        outlet = Outlet.shared(settings);
        lane = outlet.openLane();
        return true;
    }

    @Override
    public void process(Row row) {
        if (row.isNullAt(2)) {
            lane.pass(row.getInt(0), row.getLong(1));
            return;
        }
        List<Row> alerts = row.getList(2);
        try {
            lane.send(row.getInt(0), row.getLong(1), alerts.stream().map(Alert::of).toList());
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new UndeliveredException("the task was ended while it waited for Cassandra or Kafka", error);
        }
    }

    @Override
    public void close(Throwable error) {
        if (lane == null) {
            return;
        }
        try {
            if (error == null) {
                lane.drain(PATIENCE_MILLIS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new UndeliveredException("the task was ended before its alerts were delivered", interrupted);
        } finally {
            lane.abandon();
            outlet.laneClosed();
            lane = null;
        }
    }
}
