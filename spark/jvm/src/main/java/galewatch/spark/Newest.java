package galewatch.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Writes the newest reading of each station and source, one write at a time: what comes while one is under way waits, and of
 * what waits only the newest is written. In a backlog that is one write for many readings; otherwise it is one for each.
 */
final class Newest {
    private record Key(String stationId, String source) {}

    private static final class Slot {
        private Reading underWay;
        private CompletableFuture<Void> end;
        private Reading waiting;
        private CompletableFuture<Void> waitingEnd;
    }

    private final Map<Key, Slot> slots = new HashMap<>();
    private final Function<Reading, CompletableFuture<Void>> write;

    Newest(Function<Reading, CompletableFuture<Void>> write) {
        this.write = write;
    }

    /** Takes a reading; what it gives ends when this reading, or a newer one that replaces it, is written. */
    synchronized CompletableFuture<Void> put(Reading reading) {
        Key key = new Key(reading.stationId(), reading.source());
        Slot slot = slots.get(key);
        if (slot == null) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            Slot made = new Slot();
            slots.put(key, made);
            begin(key, made, reading, end);
            return end;
        }
        if (!reading.isNewerThan(slot.underWay)) {
            return slot.end;
        }
        if (slot.waiting == null) {
            slot.waiting = reading;
            slot.waitingEnd = new CompletableFuture<>();
        } else if (reading.isNewerThan(slot.waiting)) {
            slot.waiting = reading;
        }
        return slot.waitingEnd;
    }

    private void begin(Key key, Slot slot, Reading reading, CompletableFuture<Void> end) {
        slot.underWay = reading;
        slot.end = end;
        write.apply(reading).whenComplete((done, error) -> {
            goOn(key, slot);
            if (error == null) {
                end.complete(null);
            } else {
                end.completeExceptionally(error);
            }
        });
    }

    private synchronized void goOn(Key key, Slot slot) {
        if (slot.waiting == null) {
            slots.remove(key);
            return;
        }
        Reading next = slot.waiting;
        slot.waiting = null;
        begin(key, slot, next, slot.waitingEnd);
    }
}
