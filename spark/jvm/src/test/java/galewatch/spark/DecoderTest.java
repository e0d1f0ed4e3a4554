package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DecoderTest {
    private static final String FIELDS =
            """
            {"name": "event_id", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "revision", "type": "int"},
            {"name": "value", "type": ["null", "double"], "default": null}""";
    private static final String FIRST = record(FIELDS);
    private static final String SECOND =
            record(FIELDS + ", {\"name\": \"quality\", \"type\": [\"null\", \"string\"], \"default\": null}");
    private static final String UNDECODABLE = "cannot be decoded with its writer schema: ";
    private static final long MILLIS = 1_780_000_000_123L;

    private FakeRegistry registry;
    private Decoder decoder;

    @BeforeEach
    void start() throws IOException {
        registry = new FakeRegistry();
        registry.register(1, FakeRegistry.SUBJECT, FIRST);
        registry.register(2, FakeRegistry.SUBJECT, SECOND);
        decoder = new Decoder(registry.settings(), SECOND);
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    @Test
    void anOldAndANewVersionAreReadAsTheNewest() throws IOException {
        Row old = decoder.call(framed(1, filled(FIRST, MILLIS, 1.5, null)));
        Row made = decoder.call(framed(2, filled(SECOND, MILLIS, null, "V")));

        assertEquals(1L, old.getLong(0));
        assertNull(old.get(2));
        assertEquals(Arrays.asList("one", Instant.ofEpochMilli(MILLIS), 3, 1.5, null), values(old.getStruct(1)));
        assertEquals(2L, made.getLong(0));
        assertEquals(Arrays.asList("one", Instant.ofEpochMilli(MILLIS), 3, null, "V"), values(made.getStruct(1)));
    }

    @Test
    void anIdThatIsRegisteredWhileTheQueryRunsIsRead() throws IOException {
        decoder.call(framed(2, filled(SECOND, MILLIS, 1.0, null)));
        String third = record(FIELDS + ", {\"name\": \"snow\", \"type\": \"int\"}");
        registry.register(9, FakeRegistry.SUBJECT, third);
        GenericRecord snowy = filled(third, MILLIS, 2.0, null);
        snowy.put("snow", 4);

        Row row = decoder.call(framed(9, snowy));

        assertNull(row.get(2));
        assertEquals(2.0, row.getStruct(1).getDouble(3));
    }

    @Test
    void whatIsNotFramedIsPoison() {
        assertEquals("no value", reason(null));
        assertEquals("shorter than a framed message", reason(new byte[] {0, 0, 0, 1}));
        assertEquals("magic byte 0x6E is not 0x00", reason("no frame".getBytes(StandardCharsets.UTF_8)));
        assertNull(decoder.call("no frame".getBytes(StandardCharsets.UTF_8)).get(0));
    }

    @Test
    void anUnknownIdAndOneOfAnotherSubjectArePoison() {
        registry.register(5, "alerts-value", FIRST);

        assertEquals("schema id 4294967295 is not known to the registry", reason(new byte[] {0, -1, -1, -1, -1, 0}));
        assertEquals("schema id 5 belongs to alerts-value, not to readings-value", reason(new byte[] {0, 0, 0, 0, 5}));
        assertEquals(5L, decoder.call(new byte[] {0, 0, 0, 0, 5}).getLong(0));
    }

    @Test
    void everyTruncationOfABodyIsPoison() throws IOException {
        byte[] whole = framed(2, filled(SECOND, MILLIS, 1.5, "V"));

        for (int length = Frame.HEADER_BYTES; length < whole.length; length++) {
            String reason = reason(Arrays.copyOf(whole, length));
            assertNotNull(reason, "cut to " + length);
            assertTrue(reason.startsWith(UNDECODABLE), reason);
        }
    }

    @Test
    void trailingBytesArePoison() throws IOException {
        byte[] whole = framed(2, filled(SECOND, MILLIS, 1.5, "V"));

        assertEquals(UNDECODABLE + "bytes are left over", reason(Arrays.copyOf(whole, whole.length + 1)));
    }

    @Test
    void aLengthOfHalfAGigabyteIsPoisonAndNoAllocation() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(Frame.header(2));
        EncoderFactory.get().directBinaryEncoder(bytes, null).writeLong(500_000_000);

        assertEquals(
                UNDECODABLE + "String length 500000000 exceeds maximum allowed", reason(bytes.toByteArray()));
    }

    @Test
    void aTimeThatSparkCannotHoldIsPoison() throws IOException {
        for (long millis : new long[] {Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertTrue(reason(framed(2, filled(SECOND, millis, 1.5, "V"))).startsWith(UNDECODABLE));
        }
    }

    @Test
    void aVersionThatCannotBeReadAsTheNewestIsPoison() throws IOException {
        String other = record("{\"name\": \"event_id\", \"type\": \"string\"}");
        registry.register(6, FakeRegistry.SUBJECT, other);
        GenericRecord lacking = new GenericData.Record(new Schema.Parser().parse(other));
        lacking.put("event_id", "one");

        String reason = reason(framed(6, lacking));
        assertTrue(reason.contains("missing required field revision"), reason);
    }

    @Test
    void noBytesWhateverMakeItFail() {
        Random dice = new Random(4);
        for (int count = 0; count < 20_000; count++) {
            byte[] value = new byte[dice.nextInt(60)];
            dice.nextBytes(value);
            if (value.length >= Frame.HEADER_BYTES) {
                System.arraycopy(Frame.header(1 + dice.nextInt(2)), 0, value, 0, Frame.HEADER_BYTES);
            }
            Row row = decoder.call(value);
            assertTrue(row.isNullAt(1) != row.isNullAt(2));
        }
    }

    @Test
    void aRegistryThatIsAwayDecidesNothing() throws IOException {
        byte[] value = framed(1, filled(FIRST, MILLIS, 1.5, null));
        registry.close();

        assertThrows(RegistryUnreachableException.class, () -> decoder.call(value));
    }

    @Test
    void itsTypeIsThatOfTheReaderSchema() {
        String fields = FIELDS
                + ", {\"name\": \"a\", \"type\": \"long\"}, {\"name\": \"b\", \"type\": \"boolean\"}"
                + ", {\"name\": \"c\", \"type\": [\"float\", \"null\"]}";

        assertEquals(
                "struct<schema_id:bigint,reading:struct<event_id:string,at:timestamp,revision:int,value:double,"
                        + "a:bigint,b:boolean,c:float>,reason:string>",
                new Decoder(registry.settings(), record(fields)).type().simpleString());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"type\": \"array\", \"items\": \"int\"}",
        "[\"null\", \"int\", \"string\"]",
        "{\"type\": \"int\", \"logicalType\": \"date\"}",
        "{\"type\": \"long\", \"logicalType\": \"timestamp-micros\"}"
    })
    void aTypeThatItDoesNotKnowIsRefusedBeforeTheQueryStarts(String type) {
        String reader = record("{\"name\": \"odd\", \"type\": " + type + "}");
        RegistrySettings settings = registry.settings();

        String said = assertThrows(IllegalArgumentException.class, () -> new Decoder(settings, reader))
                .getMessage();
        assertTrue(said.startsWith("field 'odd' has a type that the decoder does not know: "), said);
    }

    @Test
    void itTravelsToTheExecutors() throws Exception {
        byte[] value = framed(1, filled(FIRST, MILLIS, 1.5, null));
        decoder.call(value);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(decoder);
        }
        Decoder there;
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            there = (Decoder) in.readObject();
        }

        assertNull(there.call(value).get(2));
    }

    private String reason(byte[] value) {
        return decoder.call(value).getString(2);
    }

    private static String record(String fields) {
        return "{\"type\": \"record\", \"name\": \"Reading\", \"fields\": [" + fields + "]}";
    }

    private static List<Object> values(Row row) {
        List<Object> found = new ArrayList<>();
        for (int at = 0; at < row.length(); at++) {
            found.add(row.get(at));
        }
        return found;
    }

    private static GenericRecord filled(String schema, long millis, Double value, String quality) {
        GenericRecord record = new GenericData.Record(new Schema.Parser().parse(schema));
        record.put("event_id", "one");
        record.put("at", millis);
        record.put("revision", 3);
        record.put("value", value);
        if (record.hasField("quality")) {
            record.put("quality", quality);
        }
        return record;
    }

    private static byte[] framed(int id, GenericRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(Frame.header(id));
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
        return bytes.toByteArray();
    }
}
