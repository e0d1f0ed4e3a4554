package galewatch.spark;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;

/** What makes a topic this one and no other of the same name. */
public final class TopicIdentity {
    private static final long PATIENCE_SECONDS = 20;

    private TopicIdentity() {}

    /**
     * Gives the id that Kafka gave the topic when it was made.
     *
     * @throws IllegalStateException when Kafka does not tell
     */
    public static String of(Map<String, String> client, String topic) {
        Properties config = new Properties();
        config.putAll(client);
        try (Admin admin = Admin.create(config)) {
            return admin.describeTopics(List.of(topic))
                    .topicNameValues()
                    .get(topic)
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .topicId()
                    .toString();
        } catch (ExecutionException error) {
            throw new IllegalStateException(error.getCause().getMessage(), error.getCause());
        } catch (TimeoutException error) {
            throw new IllegalStateException("no answer within " + PATIENCE_SECONDS + " s", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", error);
        }
    }
}
