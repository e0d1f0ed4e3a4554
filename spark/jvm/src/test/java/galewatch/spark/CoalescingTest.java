package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CoalescingTest {
    private final List<String> written = new ArrayList<>();
    private final List<CompletableFuture<Void>> ends = new ArrayList<>();
    private final Coalescing<String, String> texts =
            new Coalescing<>((earlier, later) -> earlier + "+" + later, text -> {
                CompletableFuture<Void> end = new CompletableFuture<>();
                written.add(text);
                ends.add(end);
                return end;
            });

    @Test
    void whatWaitsIsMergedInItsOrderIntoOneWrite() {
        CompletableFuture<Void> first = texts.put("oslo", "a");
        CompletableFuture<Void> second = texts.put("oslo", "b");
        CompletableFuture<Void> third = texts.put("oslo", "c");
        assertEquals(List.of("a"), written);

        ends.get(0).complete(null);

        assertTrue(first.isDone());
        assertEquals(List.of("a", "b+c"), written);
        assertFalse(second.isDone() || third.isDone());
        CompletableFuture<Void> fourth = texts.put("oslo", "d");
        ends.get(1).complete(null);
        assertTrue(second.isDone() && third.isDone());
        assertFalse(fourth.isDone());
        assertEquals(List.of("a", "b+c", "d"), written);
        ends.get(2).complete(null);
        assertTrue(fourth.isDone());
    }

    @Test
    void othersDoNotWait() {
        texts.put("oslo", "a");
        texts.put("rome", "b");

        assertEquals(List.of("a", "b"), written);
    }

    @Test
    void whatFailsFailsForAllThatItStandsForAndForNoOther() {
        CompletableFuture<Void> first = texts.put("oslo", "a");
        CompletableFuture<Void> second = texts.put("oslo", "b");
        CompletableFuture<Void> third = texts.put("oslo", "c");

        ends.get(0).complete(null);
        CompletableFuture<Void> next = texts.put("oslo", "d");
        ends.get(1).completeExceptionally(new IllegalStateException("away"));
        ends.get(2).complete(null);

        assertFalse(first.isCompletedExceptionally());
        assertTrue(second.isCompletedExceptionally() && third.isCompletedExceptionally());
        assertTrue(next.isDone());
        assertFalse(next.isCompletedExceptionally());
    }

    @Test
    void whatIsDoneBeginsAnew() {
        texts.put("oslo", "a");
        ends.get(0).complete(null);
        texts.put("oslo", "b");

        assertEquals(List.of("a", "b"), written);
    }
}
