package galewatch.spark;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;

/**
 * What one task has under way: at most so many alerts at once, the first failure, and how far its partition has got. Used by
 * one thread; the ends of the deliveries come from others.
 */
final class Lane {
    static final int AT_MOST = 256;

    private static final long LOOK_MILLIS = 100;

    private final Map<Integer, PartitionOffsets> offsets;
    private final BiFunction<Alert, BooleanSupplier, CompletableFuture<Void>> deliver;
    private final Semaphore free = new Semaphore(AT_MOST);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean abandoned;

    /**
     * Opens a lane.
     *
     * @param offsets the offsets of each partition, which outlive the lane
     * @param deliver starts to deliver an alert, and is told when nobody waits for it any more
     */
    Lane(
            Map<Integer, PartitionOffsets> offsets,
            BiFunction<Alert, BooleanSupplier, CompletableFuture<Void>> deliver) {
        this.offsets = offsets;
        this.deliver = deliver;
    }

    /** Notes a message that raised nothing. */
    void pass(int partition, long offset) {
        of(partition).passed(offset);
    }

    /** Sends a message's alerts on their way; waits while too many are; throws if an earlier one failed. */
    void send(int partition, long offset, Iterable<Alert> alerts) throws InterruptedException {
        PartitionOffsets progress = of(partition);
        progress.begin(offset);
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        for (Alert alert : alerts) {
            acquire(1, Long.MAX_VALUE);
            CompletableFuture<Void> one = deliver.apply(alert, () -> abandoned).whenComplete((done, error) -> {
                if (error != null) {
                    failure.compareAndSet(null, error);
                }
                free.release();
            });
            all = all.thenCombine(one, (left, right) -> null);
        }
        // Of a failed message the offset stays open: what is told as done is done.
        all.thenRun(() -> progress.done(offset));
    }

    /** Waits until everything is delivered; throws what failed, or when it takes longer. */
    void drain(long patienceMillis) throws InterruptedException {
        acquire(AT_MOST, patienceMillis);
        free.release(AT_MOST);
        check();
    }

    /** Lets go of what is under way: it is not tried again. */
    void abandon() {
        abandoned = true;
    }

    private void acquire(int permits, long patienceMillis) throws InterruptedException {
        long waited = 0;
        check();
        while (!free.tryAcquire(permits, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            check();
            waited += LOOK_MILLIS;
            if (waited >= patienceMillis) {
                throw new UndeliveredException(
                        (AT_MOST - free.availablePermits()) + " alerts were not delivered within " + patienceMillis / 1000
                                + " s",
                        null);
            }
        }
    }

    private void check() {
        Throwable error = failure.get();
        if (error != null) {
            throw new UndeliveredException("an alert was not delivered: " + error, error);
        }
    }

    private PartitionOffsets of(int partition) {
        return offsets.computeIfAbsent(partition, made -> new PartitionOffsets());
    }
}
