package galewatch.spark;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where what one copy of a query delivers leaves this JVM: a session, a producer, and a heart that says how far it has got.
 * Made once a JVM, by the warm-up or else by the first task, and shared by all tasks: it outlives batches.
 */
final class Outlet<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Outlet.class);
    private static final long BEAT_MILLIS = 1_000;

    private final Map<Integer, PartitionOffsets> offsets = new ConcurrentHashMap<>();
    private final AtomicInteger lanes = new AtomicInteger();
    private final String query;
    private final Deliveries<T> deliveries;

    /** Opens it; throws when Cassandra or Kafka is not to be had. */
    Outlet(WriterSettings settings, BiFunction<Retries, Topic, Deliveries<T>> deliveries) {
        query = settings.query();
        Producer<byte[], byte[]> producer = new KafkaProducer<>(
                new HashMap<>(settings.producer()), new ByteArraySerializer(), new ByteArraySerializer());
        try {
            // The first send would ask for it, and the first row would wait.
            producer.partitionsFor(settings.topic());
        } catch (RuntimeException error) {
            producer.close(Duration.ZERO);
            throw error;
        }
        Trouble trouble = new Trouble(LOG);
        Retries retries = new Retries(timer("retry"), trouble::with);
        this.deliveries = deliveries.apply(retries, new Topic(producer));
        QueryProgress progress = new QueryProgress(settings.cassandra(), query, settings.copy());
        Heart heart = new Heart(
                progress, Path.of(settings.beat()), offsets, lanes::get, trouble, this.deliveries::counts);
        timer("heart").scheduleWithFixedDelay(heart::beat, 0, BEAT_MILLIS, TimeUnit.MILLISECONDS);
    }

    Lane<T> openLane() {
        lanes.incrementAndGet();
        return new Lane<>(query, offsets, deliveries::ofOneTask);
    }

    void laneClosed() {
        lanes.decrementAndGet();
    }

    private ScheduledExecutorService timer(String name) {
        ScheduledThreadPoolExecutor made = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = Executors.defaultThreadFactory().newThread(task);
            thread.setName("galewatch-" + query + "-" + name);
            thread.setDaemon(true);
            return thread;
        });
        made.setRemoveOnCancelPolicy(true);
        return made;
    }
}
