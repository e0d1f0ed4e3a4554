package galewatch.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places in a batch at which a driver ends with SIGKILL: for tests, which ask what is lost then. There are none unless the
 * configuration names some. Each fires once; a file beside the query's checkpoint says so, and is in the way until it is removed.
 */
public final class Failpoints {
    /** The configuration: `averages-0/commits=before-commit,…`, a folder of a checkpoint and what to call the place. */
    static final String KEY = "galewatch.failpoints";

    /** Nothing is written here: Python's sinks say themselves that they have written a batch. */
    private static final String SINK = "sink";

    private static final String OFFSETS = "offsets";
    private static final int QUERY_AND_FOLDER = 2;
    private static final Logger LOG = LoggerFactory.getLogger(Failpoints.class);

    private final Map<String, String> points;
    private final Runnable kill;

    Failpoints(String configured, Runnable kill) {
        points = Arrays.stream(configured.split(","))
                .map(one -> one.split("="))
                .filter(one -> one.length == 2)
                .collect(Collectors.toUnmodifiableMap(one -> one[0], one -> one[1]));
        this.kill = kill;
    }

    /** Gives those that a configuration of Hadoop's names. */
    public static Failpoints of(Configuration configuration) {
        return new Failpoints(configuration.get(KEY, ""), Failpoints::kill);
    }

    /** Tells that a file of a checkpoint is about to get its name, which is the number of a batch. */
    void beforeRename(Path from, Path to) throws IOException {
        int names = to.getNameCount();
        if (points.isEmpty() || names <= QUERY_AND_FOLDER) {
            return;
        }
        Path folder = to.getParent();
        boolean ofOffsets = folder.endsWith(OFFSETS);
        reached(folder, to.getFileName().toString(), ofOffsets ? from : folder.resolveSibling(OFFSETS + "/" + to.getFileName()));
    }

    /** Tells that the sink of a query has written a batch. */
    public void afterSink(String checkpoint, long batch) throws IOException {
        Path query = Path.of(checkpoint);
        reached(query.resolve(SINK), Long.toString(batch), query.resolve(OFFSETS + "/" + batch));
    }

    private void reached(Path folder, String batch, Path offsets) throws IOException {
        Path query = folder.getParent();
        String point = points.get(query.getFileName() + "/" + folder.getFileName());
        if (point == null) {
            return;
        }
        Path fired = query.resolveSibling(query.getFileName() + "." + point);
        if (Files.exists(fired)) {
            return;
        }
        List<String> lines = Files.readAllLines(offsets);
        String told = "failpoint " + point + " of " + query.getFileName() + ": batch " + batch + ", offsets "
                + lines.get(lines.size() - 1);
        Files.writeString(fired, told + "\n");
        LOG.warn("{}: SIGKILL", told);
        kill.run();
    }

    /** Kills the driver, which is this JVM and the Python that began it; a shell outlives both, and kills by itself. */
    private static void kill() {
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        long self = ProcessHandle.current().pid();
        String[] command = {"sh", "-c", "kill -KILL " + self + " " + parent};
        try {
            new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (IOException error) {
            throw new IllegalStateException("a failpoint could not end the driver", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }
}
