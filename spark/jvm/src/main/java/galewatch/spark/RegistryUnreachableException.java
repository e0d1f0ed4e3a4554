package galewatch.spark;

/**
 * The registry gave no answer about a schema id: neither that it knows it nor that it does not. What was to be decoded is
 * kept: the task fails, and its query tries again.
 */
public final class RegistryUnreachableException extends RuntimeException {
    RegistryUnreachableException(String message) {
        super(message);
    }
}
