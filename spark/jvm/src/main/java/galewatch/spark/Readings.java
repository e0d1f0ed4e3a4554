package galewatch.spark;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Delivers a reading to both tables, and poison to the topic of the dead letters. In a backlog, readings of one station and
 * day go together, and of the latest of a station one stands for many.
 */
final class Readings implements Deliveries<Judged> {
    private record Latest(String stationId, String source) {}

    /** A partition of the table: what is written to it together is one write. */
    private record StationDay(String stationId, LocalDate day) {}

    private final ReadingTables tables;
    private final String deadLetters;
    private final Topic topic;
    private final Retries retries;
    private final LongAdder late = new LongAdder();
    private final LongAdder poison = new LongAdder();

    Readings(ReadingTables tables, String deadLetters, Topic topic, Retries retries) {
        this.tables = tables;
        this.deadLetters = deadLetters;
        this.topic = topic;
        this.retries = retries;
    }

    @Override
    public Function<Judged, CompletableFuture<Void>> ofOneTask(BooleanSupplier abandoned) {
        // All readings of a station are in one partition, and so in one task.
        Coalescing<Latest, Reading> latest = new Coalescing<>(
                Reading::newer, reading -> retries.start(() -> tables.writeLatest(reading), abandoned));
        Coalescing<StationDay, List<Reading>> byStation = new Coalescing<>(
                Readings::both, readings -> retries.start(() -> tables.writeByStation(readings), abandoned));
        return message -> {
            if (message instanceof DeadLetter letter) {
                poison.increment();
                return retries.start(() -> topic.send(letter.to(deadLetters)), abandoned);
            }
            Reading reading = (Reading) message;
            if (!reading.onTime()) {
                late.increment();
            }
            return CompletableFuture.allOf(
                    byStation.put(new StationDay(reading.stationId(), reading.day()), new ArrayList<>(List.of(reading))),
                    latest.put(new Latest(reading.stationId(), reading.source()), reading));
        };
    }

    /** Lengthens the earlier one, which nobody else has: a copy for each reading of a backlog would be quadratic. */
    private static List<Reading> both(List<Reading> earlier, List<Reading> later) {
        earlier.addAll(later);
        return earlier;
    }

    @Override
    public Map<String, Long> counts() {
        return Map.of("late", late.sum(), "poison", poison.sum());
    }
}
