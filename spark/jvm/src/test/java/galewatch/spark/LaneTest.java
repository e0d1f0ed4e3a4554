package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LaneTest {
    private static final String ALERT = "e/heat";

    private final Map<Integer, PartitionOffsets> offsets = new HashMap<>();
    private final List<CompletableFuture<Void>> underWay = new ArrayList<>();
    private final List<BooleanSupplier> abandoned = new ArrayList<>();
    private final Lane<String> lane = new Lane<>("alerts", offsets, given -> {
        abandoned.add(given);
        return alert -> {
            CompletableFuture<Void> one = new CompletableFuture<>();
            underWay.add(one);
            return one;
        };
    });

    private long next(int partition) {
        return offsets.get(partition).next();
    }

    @Test
    void whatIsNotDeliveredHoldsItsPartitionBackAndNoOther() throws InterruptedException {
        lane.pass(0, 4);
        lane.send(0, 5, List.of(ALERT, ALERT));
        lane.send(0, 6, List.of(ALERT));
        lane.pass(0, 9);
        lane.pass(1, 70);

        assertEquals(List.of(5L, 71L), List.of(next(0), next(1)));
        underWay.get(2).complete(null);
        underWay.get(0).complete(null);
        assertEquals(5, next(0));
        underWay.get(1).complete(null);
        assertEquals(10, next(0));
        lane.drain(0);
    }

    @Test
    void aFailureIsThrownAtTheNextMessageAndAtTheEnd() throws InterruptedException {
        lane.send(0, 5, List.of(ALERT));
        underWay.get(0).completeExceptionally(new IllegalStateException("refused"));

        UndeliveredException error =
                assertThrows(UndeliveredException.class, () -> lane.send(0, 6, List.of(ALERT)));
        assertTrue(error.getMessage().contains("refused"), error.getMessage());
        assertThrows(UndeliveredException.class, () -> lane.drain(1000));
        assertEquals(5, next(0));
    }

    @Test
    void whatIsNotDeliveredInTimeIsAnErrorThatSaysHowMuch() throws InterruptedException {
        lane.send(0, 5, List.of(ALERT, ALERT));

        String said = assertThrows(UndeliveredException.class, () -> lane.drain(100)).getMessage();
        assertEquals("2 alerts were not delivered within 0 s", said);
    }

    @Test
    void aFullLaneWaits() throws Exception {
        lane.send(0, 1, Collections.nCopies(Lane.AT_MOST, ALERT));
        CompletableFuture<Void> more = CompletableFuture.runAsync(() -> {
            try {
                lane.send(0, 2, List.of(ALERT));
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        });

        assertEquals(Lane.AT_MOST, underWay.size());
        assertFalse(more.isDone());
        underWay.get(0).complete(null);
        more.get();

        assertEquals(Lane.AT_MOST + 1, underWay.size());
    }

    @Test
    void theDeliveriesAreToldWhenNobodyWaits() throws InterruptedException {
        lane.send(0, 5, List.of(ALERT));
        assertFalse(abandoned.get(0).getAsBoolean());

        lane.abandon();

        assertTrue(abandoned.get(0).getAsBoolean());
    }
}
