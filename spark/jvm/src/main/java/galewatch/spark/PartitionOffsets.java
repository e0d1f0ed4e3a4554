package galewatch.spark;

import java.util.TreeSet;

/**
 * How far one partition has got: every message below `next` is done. Messages begin in their order and end in any.
 */
final class PartitionOffsets {
    private final TreeSet<Long> open = new TreeSet<>();
    private long seen = -1;

    /** Notes a message that needs nothing, or nothing more. */
    synchronized void passed(long offset) {
        seen = Math.max(seen, offset);
    }

    synchronized void begin(long offset) {
        seen = Math.max(seen, offset);
        open.add(offset);
    }

    synchronized void done(long offset) {
        open.remove(offset);
    }

    /** Gives the offset to go on with. */
    synchronized long next() {
        return open.isEmpty() ? seen + 1 : open.first();
    }
}
