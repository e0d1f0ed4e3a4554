package galewatch.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Tells once a second how the writer is: to the table query_progress how far each partition has got, and to the driver, by a
 * file, when that was stored last, how many tasks are writing, what is wrong, and what was counted. Real-Time Mode itself says
 * nothing while a batch lasts, and a batch lasts minutes.
 */
final class Heart {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PATIENCE_SECONDS = 6;
    private static final long MILLIS = 1_000;

    private final QueryProgress progress;
    private final Path file;
    private final Map<Integer, PartitionOffsets> offsets;
    private final IntSupplier lanes;
    private final Trouble trouble;
    private final Supplier<Map<String, Long>> counts;
    private long storedAt;

    Heart(
            QueryProgress progress,
            Path file,
            Map<Integer, PartitionOffsets> offsets,
            IntSupplier lanes,
            Trouble trouble,
            Supplier<Map<String, Long>> counts) {
        this.progress = progress;
        this.file = file;
        this.offsets = offsets;
        this.lanes = lanes;
        this.trouble = trouble;
        this.counts = counts;
    }

    void beat() {
        try {
            Map<Integer, Long> next = new HashMap<>();
            offsets.forEach((partition, one) -> next.put(partition, one.next()));
            progress.write(next).toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            storedAt = System.currentTimeMillis();
        } catch (ExecutionException error) {
            trouble.with(error.getCause());
        } catch (TimeoutException | RuntimeException error) {
            trouble.with(error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            return;
        }
        try {
            write(text(storedAt, lanes.getAsInt(), trouble.current(), counts.get()));
        } catch (IOException | RuntimeException error) {
            trouble.with(error);
        }
    }

    /** Gives the file's text; times are seconds since 1970. */
    static String text(long storedAtMillis, int tasks, String trouble, Map<String, Long> counts)
            throws JsonProcessingException {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("at", System.currentTimeMillis() / MILLIS);
        told.put("stored_at", storedAtMillis / MILLIS);
        told.put("tasks", tasks);
        told.put("trouble", trouble);
        told.put("counts", counts);
        return JSON.writeValueAsString(told);
    }

    private void write(String text) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(beside, text);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
