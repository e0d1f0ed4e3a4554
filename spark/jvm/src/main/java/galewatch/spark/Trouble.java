package galewatch.spark;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/** The last failure, for as long as it counts as present; logged when it is another than before. */
final class Trouble {
    private static final long LASTS_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final int LENGTH = 300;

    private final Logger log;
    private String last;
    private long at;

    Trouble(Logger log) {
        this.log = log;
    }

    synchronized void with(Throwable error) {
        String said = sentence(error);
        if (!said.equals(current())) {
            log.warn("not delivered yet, tried again: {}", said);
        }
        last = said;
        at = System.nanoTime();
    }

    /** Gives the failure of the last seconds, or null. */
    synchronized String current() {
        return last == null || System.nanoTime() - at > LASTS_NANOS ? null : last;
    }

    private static String sentence(Throwable error) {
        String text = error.getClass().getSimpleName() + ": " + error.getMessage();
        String line = String.join(" ", text.split("\\s+"));
        return line.length() <= LENGTH ? line : line.substring(0, LENGTH);
    }
}
