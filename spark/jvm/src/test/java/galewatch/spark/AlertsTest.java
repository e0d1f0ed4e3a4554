package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class AlertsTest {
    private static final Instant AT = Instant.parse("2026-07-01T23:59:59.007Z");
    private static final String SCHEMA =
            """
            {"type": "record", "name": "Alert", "fields": [
              {"name": "alert_id", "type": "string"}, {"name": "rule_id", "type": "string"},
              {"name": "severity", "type": "string"}, {"name": "station_id", "type": "string"},
              {"name": "observed_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
              {"name": "source", "type": "string"}, {"name": "origin", "type": "string"},
              {"name": "event_id", "type": "string"}, {"name": "revision", "type": "int"},
              {"name": "metric", "type": "string"}, {"name": "value", "type": "double"},
              {"name": "threshold", "type": "double"}, {"name": "unit", "type": "string"},
              {"name": "message", "type": "string"},
              {"name": "raised_at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}""";

    private static Alert alert(Object at, int revision) {
        return Alert.of(RowFactory.create(
                "e/heat", "heat", "critical", "oslo", at, "nws", "live", "e", revision, "temperature", 40.5, 37.0, "°C",
                "Hot", at));
    }

    @Test
    void aRowIsAnAlertWhicheverTypeItsTimesHave() {
        assertEquals(alert(AT, 1), alert(Timestamp.from(AT), 1));
        assertEquals(40.5, alert(AT, 1).value());
        assertEquals(LocalDate.of(2026, 7, 1), alert(AT, 1).day());
    }

    @Test
    void aLaterRevisionIsWrittenAtALaterTimeWithinTheSameMillisecond() {
        long micros = AT.toEpochMilli() * 1000;

        assertEquals(micros + 1, alert(AT, 1).writeMicros());
        assertEquals(micros + 2, alert(AT, 2).writeMicros());
        assertEquals(micros + 999, alert(AT, 5000).writeMicros());
        assertEquals(-1_000_000 + 1, alert(Instant.ofEpochSecond(-1), 1).writeMicros());
    }

    @Test
    void aMessageIsFramedKeyedByItsStationAndCarriesItsId() throws Exception {
        ProducerRecord<byte[], byte[]> made = new AlertMessages("alerts", 258, SCHEMA).of(alert(AT, 1));

        assertEquals("alerts", made.topic());
        assertArrayEquals("oslo".getBytes(StandardCharsets.UTF_8), made.key());
        assertArrayEquals("e/heat".getBytes(StandardCharsets.UTF_8), made.headers().lastHeader("alert_id").value());
        assertEquals(258, Frame.schemaId(made.value()));
        GenericRecord read = new GenericDatumReader<GenericRecord>(new Schema.Parser().parse(SCHEMA))
                .read(null, DecoderFactory.get().binaryDecoder(
                        made.value(), Frame.HEADER_BYTES, made.value().length - Frame.HEADER_BYTES, null));
        assertEquals("°C", read.get("unit").toString());
        assertEquals(AT.toEpochMilli(), read.get("observed_at"));
        assertEquals(37.0, read.get("threshold"));
    }

    @Test
    void noSettingShowsAPassword() {
        CassandraAccess cassandra = new CassandraAccess("c", 9042, "dc1", "galewatch", "spark", "hunter2");
        WriterSettings settings = new WriterSettings(
                "alerts", 1, cassandra, 60, Map.of("sasl.jaas.config", "hunter2"), "alerts", "/tmp/x");

        assertFalse((cassandra + " " + settings).contains("hunter2"));
    }
}
