package galewatch.spark;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Alerts as records of the topic: Avro framed with its schema's id, keyed by station, with the alert's id as a header. */
final class AlertMessages {
    /** By it a reader drops the second copy. */
    static final String HEADER = "alert_id";

    private final String topic;
    private final Schema schema;
    private final byte[] header;

    AlertMessages(String topic, long schemaId, String schema) {
        this.topic = topic;
        this.schema = new Schema.Parser().parse(schema);
        this.header = Frame.header(schemaId);
    }

    ProducerRecord<byte[], byte[]> of(Alert alert) {
        return new ProducerRecord<>(
                topic,
                null,
                alert.stationId().getBytes(StandardCharsets.UTF_8),
                framed(alert),
                List.of(new RecordHeader(HEADER, alert.alertId().getBytes(StandardCharsets.UTF_8))));
    }

    private byte[] framed(Alert alert) {
        GenericRecord record = new GenericData.Record(schema);
        record.put("alert_id", alert.alertId());
        record.put("rule_id", alert.ruleId());
        record.put("severity", alert.severity());
        record.put("station_id", alert.stationId());
        record.put("observed_at", alert.observedAt().toEpochMilli());
        record.put("source", alert.source());
        record.put("origin", alert.origin());
        record.put("event_id", alert.eventId());
        record.put("revision", alert.revision());
        record.put("metric", alert.metric());
        record.put("value", alert.value());
        record.put("threshold", alert.threshold());
        record.put("unit", alert.unit());
        record.put("message", alert.message());
        record.put("raised_at", alert.raisedAt().toEpochMilli());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(header);
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        try {
            new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }
}
