package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class NewestTest {
    private final List<String> written = new ArrayList<>();
    private final List<CompletableFuture<Void>> ends = new ArrayList<>();
    private final Newest newest = new Newest(reading -> {
        CompletableFuture<Void> end = new CompletableFuture<>();
        written.add(reading.stationId() + "@" + reading.observedAt().getEpochSecond() + "r" + reading.revision());
        ends.add(end);
        return end;
    });

    private CompletableFuture<Void> put(String station, String source, int second, int revision) {
        return newest.put(new Reading(
                station, source, Instant.ofEpochSecond(second), "live", revision, true, List.of()));
    }

    @Test
    void ofWhatWaitsOnlyTheNewestIsWritten() {
        CompletableFuture<Void> first = put("oslo", "nws", 10, 1);
        CompletableFuture<Void> second = put("oslo", "nws", 30, 1);
        CompletableFuture<Void> third = put("oslo", "nws", 20, 1);
        CompletableFuture<Void> revised = put("oslo", "nws", 30, 2);
        assertEquals(List.of("oslo@10r1"), written);

        ends.get(0).complete(null);

        assertTrue(first.isDone());
        assertEquals(List.of("oslo@10r1", "oslo@30r2"), written);
        assertFalse(second.isDone() || third.isDone() || revised.isDone());
        ends.get(1).complete(null);
        assertTrue(second.isDone() && third.isDone() && revised.isDone());
    }

    @Test
    void anOlderOneThanTheOneUnderWayNeedsNoWrite() {
        CompletableFuture<Void> newer = put("oslo", "nws", 20, 1);
        CompletableFuture<Void> older = put("oslo", "nws", 10, 9);
        CompletableFuture<Void> same = put("oslo", "nws", 20, 1);
        assertFalse(older.isDone() || same.isDone());

        ends.get(0).complete(null);

        assertTrue(newer.isDone() && older.isDone() && same.isDone());
        assertEquals(List.of("oslo@20r1"), written);
    }

    @Test
    void stationsAndSourcesDoNotWaitForEachOther() {
        put("oslo", "nws", 10, 1);
        put("oslo", "gateway", 10, 1);
        put("rome", "nws", 10, 1);

        assertEquals(3, written.size());
    }

    @Test
    void whatFailsFailsForAllThatItStandsForAndForNoOther() {
        CompletableFuture<Void> first = put("oslo", "nws", 10, 1);
        CompletableFuture<Void> older = put("oslo", "nws", 5, 1);
        CompletableFuture<Void> next = put("oslo", "nws", 30, 1);

        ends.get(0).completeExceptionally(new IllegalStateException("away"));

        assertTrue(first.isCompletedExceptionally() && older.isCompletedExceptionally());
        assertFalse(next.isDone());
        ends.get(1).complete(null);
        assertFalse(next.isCompletedExceptionally());
        assertTrue(next.isDone());
    }

    @Test
    void aStationThatIsDoneBeginsAnew() {
        put("oslo", "nws", 20, 1);
        ends.get(0).complete(null);
        put("oslo", "nws", 10, 1);

        assertEquals(List.of("oslo@20r1", "oslo@10r1"), written);
    }
}
