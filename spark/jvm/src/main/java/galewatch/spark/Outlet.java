package galewatch.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the alerts of one copy of the query leave this JVM: a session, a producer, and a heart that says how far they have
 * got. Made once a JVM, by the warm-up or else by the first task, and shared by all tasks: it outlives batches.
 */
final class Outlet {
    private static final Logger LOG = LoggerFactory.getLogger(Outlet.class);
    private static final Map<String, Outlet> SHARED = new ConcurrentHashMap<>();
    private static final long BEAT_MILLIS = 1_000;

    private final Map<Integer, PartitionOffsets> offsets = new ConcurrentHashMap<>();
    private final AtomicInteger lanes = new AtomicInteger();
    private final Trouble trouble = new Trouble(LOG);
    private final ScheduledExecutorService timer = timer("galewatch-alerts-retry");
    private final AlertTables tables;
    private final AlertMessages messages;
    private final Producer<byte[], byte[]> producer;

    private Outlet(AlertSettings settings) {
        CqlSession session = settings.cassandra().session();
        tables = new AlertTables(session, settings.selftestTtlSeconds());
        messages = new AlertMessages(settings.topic(), settings.schemaId(), settings.schema());
        producer = new KafkaProducer<>(
                new HashMap<>(settings.producer()), new ByteArraySerializer(), new ByteArraySerializer());
        // The first send would ask for it, and the first alert would wait.
        producer.partitionsFor(settings.topic());
        QueryProgress progress = new QueryProgress(settings.cassandra(), settings.query(), settings.copy());
        Heart heart = new Heart(progress, Path.of(settings.beat()), offsets, lanes::get, trouble);
        timer("galewatch-alerts-heart").scheduleWithFixedDelay(heart::beat, 0, BEAT_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Gives the outlet of this JVM; throws when Cassandra or Kafka is not to be had. */
    static Outlet shared(AlertSettings settings) {
        return SHARED.computeIfAbsent(settings.query() + "-" + settings.copy(), key -> new Outlet(settings));
    }

    Lane openLane() {
        lanes.incrementAndGet();
        return new Lane(offsets, this::deliver);
    }

    void laneClosed() {
        lanes.decrementAndGet();
    }

    // Each of the three on its own: the topic does not wait for the tables.
    private CompletableFuture<Void> deliver(Alert alert, BooleanSupplier abandoned) {
        return CompletableFuture.allOf(
                Delivery.start(() -> tables.writeByStation(alert), timer, abandoned, trouble::with),
                Delivery.start(() -> tables.writeByDay(alert), timer, abandoned, trouble::with),
                Delivery.start(() -> produce(alert), timer, abandoned, trouble::with));
    }

    private CompletableFuture<Void> produce(Alert alert) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        producer.send(messages.of(alert), (where, error) -> {
            if (error == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(error);
            }
        });
        return sent;
    }

    private static ScheduledExecutorService timer(String name) {
        ScheduledThreadPoolExecutor made = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = Executors.defaultThreadFactory().newThread(task);
            thread.setName(name);
            thread.setDaemon(true);
            return thread;
        });
        made.setRemoveOnCancelPolicy(true);
        return made;
    }
}
