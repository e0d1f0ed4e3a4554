package galewatch.spark;

import java.nio.ByteBuffer;

/** Confluent's framing: one byte 0, the writer's schema id as four big-endian bytes, then the Avro body. */
final class Frame {
    static final int HEADER_BYTES = 5;

    private Frame() {}

    /** Says why a message is not framed, or gives null when it is. */
    static String refusal(byte[] value) {
        if (value == null) {
            return "no value";
        }
        if (value.length < HEADER_BYTES) {
            return "shorter than a framed message";
        }
        if (value[0] != 0) {
            return String.format("magic byte 0x%02X is not 0x00", value[0]);
        }
        return null;
    }

    /** Gives the schema id of a framed message; the four bytes are unsigned. */
    static long schemaId(byte[] framed) {
        return Integer.toUnsignedLong(ByteBuffer.wrap(framed).getInt(1));
    }

    /** Gives what stands before a body written with this schema. */
    static byte[] header(long schemaId) {
        return ByteBuffer.allocate(HEADER_BYTES).put((byte) 0).putInt((int) schemaId).array();
    }
}
