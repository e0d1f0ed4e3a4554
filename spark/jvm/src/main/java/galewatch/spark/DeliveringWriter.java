package galewatch.spark;

import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.ForeachWriter;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A sink that delivers what it is given, a row for each message of the source, in Real-Time Mode as in micro-batches.
 *
 * <p>Writes are asynchronous and repeated until they succeed; `close` waits for them. So a batch that is committed is
 * delivered, and one that is not is read again.
 *
 * @param <T> what is delivered
 */
abstract class DeliveringWriter<T> extends ForeachWriter<Row> {
    private static final long PATIENCE_MILLIS = 60_000;

    private transient Outlet<T> outlet;
    private transient Lane<T> lane;

    /** Gives the outlet of this JVM; throws when Cassandra or Kafka is not to be had. */
    abstract Outlet<T> outlet();

    /** Takes one message to the lane: it is delivered, or passed where nothing is to be. */
    abstract void process(Row row, Lane<T> lane) throws InterruptedException;

    /** Opens session and producer on the executors, so that no row has to wait for it; `tasks` fill every slot. */
    public void warmUp(SparkSession session, int tasks) {
        JavaSparkContext.fromSparkContext(session.sparkContext())
                .parallelize(IntStream.range(0, tasks).boxed().toList(), tasks)
                .foreachPartition(numbers -> outlet());
    }

    @Override
    public boolean open(long partitionId, long epochId) {
        outlet = outlet();
        lane = outlet.openLane();
        return true;
    }

    @Override
    public void process(Row row) {
        try {
            process(row, lane);
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
            throw new UndeliveredException("the task was ended before everything was delivered", interrupted);
        } finally {
            lane.abandon();
            outlet.laneClosed();
            lane = null;
        }
    }
}
