package galewatch.spark;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A topic that is written to. */
final class Topic {
    private final Producer<byte[], byte[]> producer;

    Topic(Producer<byte[], byte[]> producer) {
        this.producer = producer;
    }

    /** Sends a record; the stage ends when the brokers have it. */
    CompletionStage<Void> send(ProducerRecord<byte[], byte[]> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        producer.send(record, (where, error) -> {
            if (error == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(error);
            }
        });
        return sent;
    }
}
