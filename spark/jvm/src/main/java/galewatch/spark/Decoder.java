package galewatch.spark;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * From a message of Kafka's to a reading: a UDF that gives struct(schema_id, reading, reason).
 *
 * <p>A body is decoded with the schema that it was written with, which the registry tells by the framed id, and resolved
 * to the one reader schema that the query knows. So every id that the registry knows as one of the subject's is read, also
 * one that is registered while the query runs. For poison `reading` is null and `reason` says why. When the registry does
 * not answer, nothing is known and nothing is decided: the call throws RegistryUnreachableException.
 */
public final class Decoder implements UDF1<byte[], Row> {
    static {
        // A broken length must not become an allocation: no text and no list of ours comes near these, and no message is
        // larger than a mebibyte. Read by Avro when it decodes for the first time.
        System.setProperty("org.apache.avro.limits.string.maxLength", "1048576");
        System.setProperty("org.apache.avro.limits.bytes.maxLength", "1048576");
        System.setProperty("org.apache.avro.limits.collectionItems.maxLength", "1048576");
    }

    private final RegistrySettings registry;
    private final String readerText;
    private final RowShape shape;

    private transient Schema reader;
    private transient Map<Schema, GenericDatumReader<GenericRecord>> readers;
    private transient BinaryDecoder input;

    public Decoder(RegistrySettings registry, String reader) {
        this.registry = registry;
        this.readerText = reader;
        this.shape = new RowShape(new Schema.Parser().parse(reader));
    }

    /** Gives the type of what this returns. */
    public StructType type() {
        return DataTypes.createStructType(new StructField[] {
            DataTypes.createStructField("schema_id", DataTypes.LongType, true),
            DataTypes.createStructField("reading", shape.type(), true),
            DataTypes.createStructField("reason", DataTypes.StringType, true),
        });
    }

    /**
     * Makes this known to a session. It counts as not deterministic, and it is not: what the registry knows changes. So
     * Spark calls it once for each message and puts it in no other place of its plan.
     */
    public void register(SparkSession session, String name) {
        session.udf().register(name, functions.udf(this, type()).asNondeterministic());
    }

    @Override
    public Row call(byte[] value) {
        String refusal = Frame.refusal(value);
        if (refusal != null) {
            return RowFactory.create(null, null, refusal);
        }
        long id = Frame.schemaId(value);
        WriterSchemas.Answer writer = WriterSchemas.shared(registry).of(id);
        if (writer.refusal() != null) {
            return RowFactory.create(id, null, writer.refusal());
        }
        try {
            return RowFactory.create(id, shape.row(decode(value, writer.schema())), null);
        } catch (IOException | RuntimeException error) {
            // For bytes that make no sense Avro throws whatever it stumbles over, UnsupportedOperationException included.
            return RowFactory.create(id, null, undecodable(error));
        }
    }

    private GenericRecord decode(byte[] value, Schema writer) throws IOException {
        if (readers == null) {
            readers = new HashMap<>();
            reader = new Schema.Parser().parse(readerText);
        }
        // By identity would do, and equality is: schemas cache their hash.
        GenericDatumReader<GenericRecord> datum =
                readers.computeIfAbsent(writer, made -> new GenericDatumReader<>(made, reader));
        input = DecoderFactory.get().binaryDecoder(value, Frame.HEADER_BYTES, value.length - Frame.HEADER_BYTES, input);
        GenericRecord record = datum.read(null, input);
        if (!input.isEnd()) {
            throw new AvroRuntimeException("bytes are left over");
        }
        return record;
    }

    private static String undecodable(Exception error) {
        String why = error.getMessage() == null || error.getMessage().isBlank()
                ? error.getClass().getSimpleName()
                : error.getMessage().lines().findFirst().orElseThrow();
        return "cannot be decoded with its writer schema: " + why;
    }
}
