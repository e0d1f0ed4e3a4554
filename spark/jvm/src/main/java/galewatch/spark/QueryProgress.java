package galewatch.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The table query_progress: how far a copy of a query has got in each partition, and when that was true. */
public final class QueryProgress {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final CqlSession session;
    private final PreparedStatement insert;
    private final String query;
    private final int copy;

    public QueryProgress(CassandraAccess cassandra, String query, int copy) {
        this.session = cassandra.session();
        this.insert = session.prepare(
                "INSERT INTO query_progress (query, copy, partition, at, next_offset) VALUES (?, ?, ?, ?, ?)");
        this.query = query;
        this.copy = copy;
    }

    /** Writes the offset that each partition goes on with; the stage ends when all of them are stored. */
    CompletionStage<Void> write(Map<Integer, Long> nextOffsets) {
        Instant at = Instant.now();
        CompletableFuture<?>[] written = nextOffsets.entrySet().stream()
                .map(one -> session.executeAsync(insert.bind(query, copy, one.getKey(), at, one.getValue()))
                        .toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new);
        return CompletableFuture.allOf(written);
    }

    /** The same, given as JSON ({"0": 17}), which is how Spark tells its offsets; does not wait for the end. */
    public void write(String nextOffsets) {
        write(parse(nextOffsets));
    }

    static Map<Integer, Long> parse(String nextOffsets) {
        try {
            Map<Integer, Long> offsets = new HashMap<>();
            JSON.readTree(nextOffsets)
                    .properties()
                    .forEach(one -> offsets.put(Integer.valueOf(one.getKey()), one.getValue().asLong()));
            return offsets;
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("offsets must be JSON such as {\"0\": 17}, not " + nextOffsets, error);
        }
    }
}
