package galewatch.spark;

import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Delivers an alert to both tables and to the topic, each on its own: the topic does not wait for the tables. */
final class Alerts implements Deliveries<Alert> {
    private final AlertTables tables;
    private final AlertMessages messages;
    private final Topic topic;
    private final Retries retries;

    Alerts(AlertTables tables, AlertMessages messages, Topic topic, Retries retries) {
        this.tables = tables;
        this.messages = messages;
        this.topic = topic;
        this.retries = retries;
    }

    @Override
    public Function<Alert, CompletableFuture<Void>> ofOneTask(BooleanSupplier abandoned) {
        return alert -> CompletableFuture.allOf(
                retries.start(() -> tables.writeByStation(alert), abandoned),
                retries.start(() -> tables.writeByDay(alert), abandoned),
                retries.start(() -> topic.send(messages.of(alert)), abandoned));
    }
}
