package galewatch.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * Writes what belongs together one write at a time: what comes while one is under way waits, and all that waits is merged into
 * the next. In a backlog that is one write for many values; otherwise it is one for each.
 *
 * @param <K> what tells apart things that do not wait for each other
 * @param <V> what is written
 */
final class Coalescing<K, V> {
    private final class Slot {
        private V waiting;
        private CompletableFuture<Void> waitingEnd;
    }

    private final Map<K, Slot> slots = new HashMap<>();
    private final BinaryOperator<V> merge;
    private final Function<V, CompletableFuture<Void>> write;

    /**
     * Makes one with nothing under way.
     *
     * @param merge gives what is written for two values, the earlier one first
     * @param write starts a write
     */
    Coalescing(BinaryOperator<V> merge, Function<V, CompletableFuture<Void>> write) {
        this.merge = merge;
        this.write = write;
    }

    /** Takes a value; what it gives ends as the write does that stands for it. */
    synchronized CompletableFuture<Void> put(K key, V value) {
        Slot slot = slots.get(key);
        if (slot == null) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            Slot made = new Slot();
            slots.put(key, made);
            begin(key, made, value, end);
            return end;
        }
        if (slot.waitingEnd == null) {
            slot.waiting = value;
            slot.waitingEnd = new CompletableFuture<>();
        } else {
            slot.waiting = merge.apply(slot.waiting, value);
        }
        return slot.waitingEnd;
    }

    private void begin(K key, Slot slot, V value, CompletableFuture<Void> end) {
        write.apply(value).whenComplete((done, error) -> {
            goOn(key, slot);
            if (error == null) {
                end.complete(null);
            } else {
                end.completeExceptionally(error);
            }
        });
    }

    private synchronized void goOn(K key, Slot slot) {
        if (slot.waitingEnd == null) {
            slots.remove(key);
            return;
        }
        V next = slot.waiting;
        CompletableFuture<Void> end = slot.waitingEnd;
        slot.waiting = null;
        slot.waitingEnd = null;
        begin(key, slot, next, end);
    }
}
