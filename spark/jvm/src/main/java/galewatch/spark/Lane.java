package galewatch.spark;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * What one task has under way: at most so many rows at once, the first failure, and how far its partition has got. Used by
 * one thread; the ends of the deliveries come from others.
 */
final class Lane<T> {
    static final int AT_MOST = 1024;

    private static final long LOOK_MILLIS = 100;

    private final String rows;
    private final Map<Integer, PartitionOffsets> offsets;
    private final Function<T, CompletableFuture<Void>> deliver;
    private final Semaphore free = new Semaphore(AT_MOST);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean abandoned;

    /**
     * Opens a lane.
     *
     * @param rows what the rows are called where some are missing
     * @param offsets the offsets of each partition, which outlive the lane
     * @param deliveries gives what starts to deliver a row; it is told when nobody waits for them any more
     */
    Lane(
            String rows,
            Map<Integer, PartitionOffsets> offsets,
            Function<BooleanSupplier, Function<T, CompletableFuture<Void>>> deliveries) {
        this.rows = rows;
        this.offsets = offsets;
        this.deliver = deliveries.apply(() -> abandoned);
    }

    /** Notes a message of which nothing is to be delivered. */
    void pass(int partition, long offset) {
        of(partition).passed(offset);
    }

    /** Sends what is to be delivered of a message on its way; waits while too many are; throws if an earlier one failed. */
    void send(int partition, long offset, Iterable<T> sent) throws InterruptedException {
        PartitionOffsets progress = of(partition);
        progress.begin(offset);
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        for (T row : sent) {
            acquire(1, Long.MAX_VALUE);
            CompletableFuture<Void> one = deliver.apply(row).whenComplete((done, error) -> {
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
                        (AT_MOST - free.availablePermits()) + " " + rows + " were not delivered within " + patienceMillis / 1000
                                + " s",
                        null);
            }
        }
    }

    private void check() {
        Throwable error = failure.get();
        if (error != null) {
            throw new UndeliveredException("one of the " + rows + " was not delivered: " + error, error);
        }
    }

    private PartitionOffsets of(int partition) {
        return offsets.computeIfAbsent(partition, made -> new PartitionOffsets());
    }
}
