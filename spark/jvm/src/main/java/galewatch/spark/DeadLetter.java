package galewatch.spark;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * A message that is no reading: key and value as they came, and why and where it came from.
 *
 * @param appendedAt when the broker got it
 * @param schemaId the framed id, or null where the message is not framed
 */
record DeadLetter(
        byte[] key,
        byte[] value,
        String reason,
        String topic,
        int partition,
        long offset,
        Instant appendedAt,
        Long schemaId)
        implements Judged {
    /** Gives it as a record of a topic; reason and coordinates are headers, all text. */
    ProducerRecord<byte[], byte[]> to(String deadLetters) {
        List<Header> headers = new ArrayList<>(List.of(
                header("reason", reason),
                header("topic", topic),
                header("partition", partition),
                header("offset", offset),
                header("timestamp", appendedAt.toEpochMilli())));
        if (schemaId != null) {
            headers.add(header("schema_id", schemaId));
        }
        return new ProducerRecord<>(deadLetters, null, key, value, headers);
    }

    private static Header header(String name, Object value) {
        return new RecordHeader(name, value.toString().getBytes(StandardCharsets.UTF_8));
    }
}
