package galewatch.spark;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Delivers a reading to both tables, and poison to the topic of the dead letters. */
final class Readings implements Deliveries<Judged> {
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
        Newest newest = new Newest(reading -> retries.start(() -> tables.writeLatest(reading), abandoned));
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
                    retries.start(() -> tables.writeByStation(reading), abandoned), newest.put(reading));
        };
    }

    @Override
    public Map<String, Long> counts() {
        return Map.of("late", late.sum(), "poison", poison.sum());
    }
}
