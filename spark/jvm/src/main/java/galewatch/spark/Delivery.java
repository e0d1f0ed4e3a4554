package galewatch.spark;

import com.datastax.oss.driver.api.core.servererrors.QueryValidationException;
import com.datastax.oss.driver.api.core.type.codec.CodecNotFoundException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;

/**
 * One write that is tried until it succeeds. What is away comes back, and the write is idempotent, so there is no count and
 * no deadline: who waits for it decides how long. Only what no repetition mends ends it.
 */
final class Delivery {
    private static final long FIRST_PAUSE_MILLIS = 50;
    private static final long LAST_PAUSE_MILLIS = 1_000;

    private final Supplier<CompletionStage<?>> write;
    private final ScheduledExecutorService timer;
    private final BooleanSupplier abandoned;
    private final Consumer<Throwable> trouble;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private long pauseMillis = FIRST_PAUSE_MILLIS;

    private Delivery(
            Supplier<CompletionStage<?>> write,
            ScheduledExecutorService timer,
            BooleanSupplier abandoned,
            Consumer<Throwable> trouble) {
        this.write = write;
        this.timer = timer;
        this.abandoned = abandoned;
        this.trouble = trouble;
    }

    /**
     * Starts a write.
     *
     * @param abandoned tells that nobody waits any more: the next failure is then the last
     * @param trouble is told each failure
     * @return ends when the write is done, exceptionally when it never will be
     */
    static CompletableFuture<Void> start(
            Supplier<CompletionStage<?>> write,
            ScheduledExecutorService timer,
            BooleanSupplier abandoned,
            Consumer<Throwable> trouble) {
        Delivery delivery = new Delivery(write, timer, abandoned, trouble);
        delivery.attempt();
        return delivery.end;
    }

    private void attempt() {
        CompletionStage<?> attempt;
        try {
            attempt = write.get();
        } catch (RuntimeException error) {
            failed(error);
            return;
        }
        attempt.whenComplete((done, error) -> {
            if (error == null) {
                end.complete(null);
            } else {
                failed(error);
            }
        });
    }

    private void failed(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        trouble.accept(cause);
        if (hopeless(cause) || abandoned.getAsBoolean()) {
            end.completeExceptionally(cause);
            return;
        }
        try {
            timer.schedule(this::attempt, pauseMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            end.completeExceptionally(cause);
        }
        pauseMillis = Math.min(2 * pauseMillis, LAST_PAUSE_MILLIS);
    }

    // A statement that Cassandra refuses, a value without a codec; and of Kafka's errors those that it calls final.
    static boolean hopeless(Throwable error) {
        return error instanceof QueryValidationException
                || error instanceof CodecNotFoundException
                || error instanceof KafkaException && !(error instanceof RetriableException);
    }
}
