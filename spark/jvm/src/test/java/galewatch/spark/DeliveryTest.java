package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.NoNodeAvailableException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeliveryTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final List<Throwable> trouble = new ArrayList<>();
    private final AtomicBoolean abandoned = new AtomicBoolean();

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    private CompletableFuture<Void> start(Supplier<CompletionStage<?>> write) {
        return Delivery.start(write, timer, abandoned::get, trouble::add);
    }

    private static Supplier<CompletionStage<?>> failing(int times, Throwable error) {
        List<Integer> attempts = new ArrayList<>();
        return () -> {
            attempts.add(1);
            return attempts.size() > times
                    ? CompletableFuture.completedFuture(null)
                    : CompletableFuture.failedFuture(error);
        };
    }

    @Test
    void whatIsAwayIsTriedAgainUntilItIsBack() {
        start(failing(3, new NoNodeAvailableException())).join();

        assertEquals(3, trouble.size());
        assertInstanceOf(NoNodeAvailableException.class, trouble.get(0));
    }

    @Test
    void aFailureAtTheCallCountsAsOneOfTheWrite() {
        Supplier<CompletionStage<?>> later = failing(1, new IOException());

        start(() -> {
            if (trouble.isEmpty()) {
                throw new IllegalStateException("closed");
            }
            return later.get();
        }).join();

        assertEquals(2, trouble.size());
    }

    @Test
    void whatNoRepetitionMendsEndsIt() {
        CompletableFuture<Void> refused =
                start(failing(1, new CompletionException(new InvalidQueryException(null, "no such table"))));

        CompletionException error = assertThrows(CompletionException.class, refused::join);
        assertInstanceOf(InvalidQueryException.class, error.getCause());
        assertTrue(Delivery.hopeless(new RecordTooLargeException()));
        assertFalse(Delivery.hopeless(new TimeoutException()));
    }

    @Test
    void whatNobodyWaitsForIsNotTriedAgain() {
        abandoned.set(true);

        assertTrue(start(failing(1, new NoNodeAvailableException())).isCompletedExceptionally());
    }

    @Test
    void afterTheTimerIsClosedAFailureIsTheLast() {
        timer.shutdownNow();

        assertTrue(start(failing(1, new NoNodeAvailableException())).isCompletedExceptionally());
    }
}
