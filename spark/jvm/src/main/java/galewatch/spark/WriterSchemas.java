package galewatch.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/**
 * The writers' schemas by their id, as the registry tells them; asked once for each id.
 *
 * <p>What an id means never changes, so a schema is kept for good. That there is none may change at any moment, so a
 * refusal is kept for a few seconds only: long enough that a burst of poison asks once, short enough that an id that is
 * registered now is known when its first message is sent a moment later.
 */
final class WriterSchemas {
    /** What is known of an id: its schema, or why its messages are poison. */
    record Answer(Schema schema, String refusal) {}

    private record Refusal(Answer answer, long until) {}

    /** How long the registry is asked again before the task is given up. */
    static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Duration REFUSAL_LASTS = Duration.ofSeconds(5);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long PAUSE_MILLIS = 250;
    static final int REFUSALS_AT_MOST = 1_000;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<RegistrySettings, WriterSchemas> SHARED = new ConcurrentHashMap<>();

    private final RegistrySettings settings;
    private final Duration patience;
    private final LongSupplier nanos;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final Map<Long, Answer> known = new ConcurrentHashMap<>();
    private final Map<Long, Refusal> refused = new ConcurrentHashMap<>();

    WriterSchemas(RegistrySettings settings, Duration patience, LongSupplier nanos) {
        this.settings = settings;
        this.patience = patience;
        this.nanos = nanos;
    }

    /** Gives the one that all tasks of this JVM share. */
    static WriterSchemas shared(RegistrySettings settings) {
        return SHARED.computeIfAbsent(settings, made -> new WriterSchemas(made, PATIENCE, System::nanoTime));
    }

    /**
     * Tells what an id is.
     *
     * @throws RegistryUnreachableException when the registry does not answer, or answers neither yes nor no
     */
    Answer of(long id) {
        Answer found = known.get(id);
        if (found != null) {
            return found;
        }
        Refusal refusal = refused.get(id);
        if (refusal != null && refusal.until() - nanos.getAsLong() > 0) {
            return refusal.answer();
        }
        return resolve(id);
    }

    // One task asks, the others wait for what it hears.
    private synchronized Answer resolve(long id) {
        Answer found = known.get(id);
        if (found != null) {
            return found;
        }
        found = ask(id);
        if (found.schema() != null) {
            refused.remove(id);
            known.put(id, found);
        } else {
            if (refused.size() >= REFUSALS_AT_MOST) {
                refused.clear();
            }
            refused.put(id, new Refusal(found, nanos.getAsLong() + REFUSAL_LASTS.toNanos()));
        }
        return found;
    }

    private Answer ask(long id) {
        JsonNode versions = get("/schemas/ids/" + id + "/versions");
        if (versions == null || versions.isEmpty()) {
            return new Answer(null, "schema id " + id + " is not known to the registry");
        }
        Set<String> subjects = new TreeSet<>();
        versions.forEach(version -> subjects.add(version.path("subject").asText()));
        if (!subjects.contains(settings.subject())) {
            return new Answer(
                    null,
                    "schema id " + id + " belongs to " + String.join(", ", subjects) + ", not to " + settings.subject());
        }
        String path = "/schemas/ids/" + id;
        JsonNode schema = get(path);
        if (schema == null) {
            return new Answer(null, "schema id " + id + " is not known to the registry");
        }
        if (!schema.path("references").isEmpty()) {
            return new Answer(null, "schema id " + id + " refers to other subjects, which are not followed");
        }
        try {
            return new Answer(new Schema.Parser().parse(schema.path("schema").asText()), null);
        } catch (AvroRuntimeException error) {
            throw unreachable(path, "answered no Avro schema: " + error.getMessage());
        }
    }

    // Null when the registry answers that it knows of no such thing.
    private JsonNode get(String path) {
        long giveUp = nanos.getAsLong() + patience.toNanos();
        while (true) {
            try {
                return getOnce(path);
            } catch (RegistryUnreachableException error) {
                if (giveUp - nanos.getAsLong() <= 0) {
                    throw error;
                }
                sleep(path);
            }
        }
    }

    private JsonNode getOnce(String path) {
        String login = settings.user() + ":" + settings.password();
        HttpRequest request = HttpRequest.newBuilder(URI.create(settings.url() + path))
                .header("Accept", "application/vnd.schemaregistry.v1+json")
                .header(
                        "Authorization",
                        "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
                .timeout(TIMEOUT)
                .build();
        HttpResponse<byte[]> answer;
        try {
            answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException error) {
            String reason = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
            throw unreachable(path, "cannot be reached: " + reason);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw unreachable(path, "was not waited for: the task is ended");
        }
        if (answer.statusCode() == NOT_FOUND) {
            return null;
        }
        if (answer.statusCode() != OK) {
            throw unreachable(path, "answered " + answer.statusCode());
        }
        try {
            return JSON.readTree(answer.body());
        } catch (IOException error) {
            throw unreachable(path, "answered no JSON");
        }
    }

    private void sleep(String path) {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw unreachable(path, "was not waited for: the task is ended");
        }
    }

    private RegistryUnreachableException unreachable(String path, String what) {
        return new RegistryUnreachableException(
                "the Schema Registry at " + settings.url() + " " + what + " (asked for " + path + " as user '"
                        + settings.user() + "')");
    }
}
