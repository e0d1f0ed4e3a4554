package galewatch.spark;

import java.io.Serializable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * How a record of an Avro schema looks as a row of Spark's: strings, ints, longs, booleans, floats, doubles and
 * timestamp-millis, each also as a union with null. Other types are refused when the shape is made.
 */
final class RowShape implements Serializable {
    private enum Kind {
        PLAIN,
        TEXT,
        INSTANT
    }

    private final StructType type;
    private final Kind[] kinds;

    RowShape(Schema record) {
        List<Schema.Field> fields = record.getFields();
        StructField[] columns = new StructField[fields.size()];
        kinds = new Kind[fields.size()];
        for (Schema.Field field : fields) {
            Schema plain = plain(field);
            kinds[field.pos()] = kind(plain);
            // Nullable throughout: what is poison has no reading at all, and its fields are then null.
            columns[field.pos()] = DataTypes.createStructField(field.name(), dataType(field, plain), true);
        }
        type = DataTypes.createStructType(columns);
    }

    StructType type() {
        return type;
    }

    Row row(GenericRecord record) {
        Object[] values = new Object[kinds.length];
        for (int at = 0; at < kinds.length; at++) {
            Object value = record.get(at);
            if (value != null) {
                values[at] = switch (kinds[at]) {
                    case PLAIN -> value;
                    case TEXT -> value.toString();
                    // Beyond what Spark can hold: an ArithmeticException, so poison and no failure of the query.
                    case INSTANT -> Instant.EPOCH.plus(Math.multiplyExact((Long) value, 1000L), ChronoUnit.MICROS);
                };
            }
        }
        return RowFactory.create(values);
    }

    private static Schema plain(Schema.Field field) {
        Schema schema = field.schema();
        if (schema.getType() != Schema.Type.UNION) {
            return schema;
        }
        List<Schema> others = schema.getTypes().stream()
                .filter(member -> member.getType() != Schema.Type.NULL)
                .toList();
        if (others.size() != 1) {
            throw unsupported(field);
        }
        return others.get(0);
    }

    private static Kind kind(Schema plain) {
        if (plain.getType() == Schema.Type.STRING) {
            return Kind.TEXT;
        }
        return plain.getLogicalType() == null ? Kind.PLAIN : Kind.INSTANT;
    }

    private static DataType dataType(Schema.Field field, Schema plain) {
        String logical = plain.getLogicalType() == null ? "" : plain.getLogicalType().getName();
        return switch (plain.getType() + " " + logical) {
            case "STRING " -> DataTypes.StringType;
            case "INT " -> DataTypes.IntegerType;
            case "LONG " -> DataTypes.LongType;
            case "BOOLEAN " -> DataTypes.BooleanType;
            case "FLOAT " -> DataTypes.FloatType;
            case "DOUBLE " -> DataTypes.DoubleType;
            case "LONG timestamp-millis" -> DataTypes.TimestampType;
            default -> throw unsupported(field);
        };
    }

    private static IllegalArgumentException unsupported(Schema.Field field) {
        return new IllegalArgumentException(
                "field '" + field.name() + "' has a type that the decoder does not know: " + field.schema());
    }
}
