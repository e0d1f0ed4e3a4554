package galewatch.spark;

/** Rows are not where they belong: the task fails, nothing of its batch counts as done, and the query reads it again. */
public final class UndeliveredException extends RuntimeException {
    UndeliveredException(String message, Throwable cause) {
        super(message, cause);
    }
}
