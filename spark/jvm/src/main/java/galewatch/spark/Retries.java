package galewatch.spark;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Starts writes that are repeated until they succeed, all on one timer, and tells each failure to one place. */
record Retries(ScheduledExecutorService timer, Consumer<Throwable> trouble) {
    /** Starts one; `abandoned` tells that nobody waits any more. */
    CompletableFuture<Void> start(Supplier<CompletionStage<?>> write, BooleanSupplier abandoned) {
        return Delivery.start(write, timer, abandoned, trouble);
    }
}
