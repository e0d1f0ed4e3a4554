package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class ReadingsTest {
    private static final Instant AT = Instant.parse("2026-07-01T23:59:59.007Z");
    private static final List<String> COLUMNS =
            List.of("station_id", "source", "observed_at", "origin", "revision", "temperature_c");

    private static Reading reading(Object at, String origin, int revision, Double temperature) {
        return Reading.of(COLUMNS, RowFactory.create("oslo", "nws", at, origin, revision, temperature), true);
    }

    @Test
    void aReadingHasItsValuesInTheOrderOfTheColumnsWhicheverTypeItsTimesHave() {
        Reading found = reading(Timestamp.from(AT), "live", 1, null);

        assertEquals(reading(AT, "live", 1, null), found);
        assertEquals(Arrays.asList("oslo", "nws", AT, "live", 1, null), found.values());
        assertEquals(List.of("oslo", "nws", AT), List.of(found.stationId(), found.source(), found.observedAt()));
        assertTrue(found.onTime());
    }

    @Test
    void aRevisionAndTheSelftestAreKnown() {
        assertFalse(reading(AT, "live", 1, 2.0).isRevised() || reading(AT, "live", 1, 2.0).isSelftest());
        assertTrue(reading(AT, "live", 2, 2.0).isRevised());
        assertTrue(reading(AT, "selftest", 1, 2.0).isSelftest());
    }

    @Test
    void theLaterObservationStaysAndOfOneItsLaterRevision() {
        Reading first = reading(AT, "live", 1, 2.0);

        Reading revised = reading(AT, "live", 2, 2.0);
        Reading later = reading(AT.plusMillis(1), "live", 1, 2.0);

        for (List<Reading> pair : List.of(List.of(first, revised), List.of(reading(AT, "live", 999, 2.0), later))) {
            assertEquals(pair.get(1), Reading.newer(pair.get(0), pair.get(1)));
            assertEquals(pair.get(1), Reading.newer(pair.get(1), pair.get(0)));
        }
    }

    @Test
    void ofAnObservationTheLaterRevisionStaysAndOfOneRevisionWhatCameOnTime() {
        long before = 0;
        for (int revision : List.of(1, 2, 499)) {
            for (boolean onTime : List.of(false, true)) {
                long micros = timely(revision, onTime).observationMicros();
                assertTrue(micros > before, revision + " " + onTime);
                before = micros;
            }
        }
        assertTrue(before < AT.plusMillis(1).toEpochMilli() * 1000);
        assertEquals(before, timely(5000, true).observationMicros());
    }

    private static Reading timely(int revision, boolean onTime) {
        return Reading.of(COLUMNS, RowFactory.create("oslo", "nws", AT, "live", revision, 2.0), onTime);
    }

    @Test
    void theDayOfAReadingIsThatOfUtc() {
        assertEquals(LocalDate.of(2026, 7, 1), reading(AT, "live", 1, 2.0).day());
        assertEquals(LocalDate.of(2026, 7, 2), reading(AT.plusSeconds(1), "live", 1, 2.0).day());
    }

    @Test
    void aDeadLetterIsTheMessageAsItCameWithReasonAndCoordinates() {
        ProducerRecord<byte[], byte[]> made = new DeadLetter(
                        new byte[] {'o'}, new byte[] {0, 1}, "too short", "readings", 1, 42, AT, 7L)
                .to("readings.dlq");

        assertEquals("readings.dlq", made.topic());
        assertArrayEquals(new byte[] {'o'}, made.key());
        assertArrayEquals(new byte[] {0, 1}, made.value());
        assertEquals(
                Map.of(
                        "reason", "too short", "topic", "readings", "partition", "1", "offset", "42", "timestamp",
                        String.valueOf(AT.toEpochMilli()), "schema_id", "7"),
                headers(made));
    }

    @Test
    void aDeadLetterWithoutKeyValueOrIdHasNone() {
        ProducerRecord<byte[], byte[]> made =
                new DeadLetter(null, null, "no value", "readings", 0, 1L << 40, AT, null).to("readings.dlq");

        assertNull(made.key());
        assertNull(made.value());
        assertFalse(headers(made).containsKey("schema_id"));
        assertEquals("1099511627776", headers(made).get("offset"));
    }

    private static Map<String, String> headers(ProducerRecord<byte[], byte[]> record) {
        Map<String, String> found = new HashMap<>();
        record.headers().forEach(one -> found.put(one.key(), new String(one.value(), StandardCharsets.UTF_8)));
        return found;
    }
}
