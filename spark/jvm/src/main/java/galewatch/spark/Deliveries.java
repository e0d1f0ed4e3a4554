package galewatch.spark;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** How rows of one kind are delivered; one for a JVM. */
interface Deliveries<T> {
    /** Gives what starts each delivery of one task; `abandoned` tells when nobody waits for them any more. */
    Function<T, CompletableFuture<Void>> ofOneTask(BooleanSupplier abandoned);

    /** Counts what is worth telling, since this JVM began; names as the driver knows them. */
    default Map<String, Long> counts() {
        return Map.of();
    }
}
