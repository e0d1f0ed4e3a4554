package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.Options.Rename;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class FailpointsTest {
    private static final String OFFSETS = "v1\n{\"batchTimestampMs\":1}\n{\"readings\":{\"0\":17}}";
    private static final int KILLED = 128 + 9;

    @TempDir
    private Path folder;

    private Path query;
    private int kills;

    @BeforeEach
    void aBatchIsUnderWay() throws IOException {
        query = folder.resolve("averages-0");
        for (String log : List.of("offsets", "commits")) {
            Files.createDirectories(query.resolve(log));
        }
        Files.writeString(query.resolve("offsets/7"), OFFSETS);
        Files.writeString(query.resolve("commits/.7.tmp"), "v1\n{}");
    }

    private Failpoints failpoints(String configured) {
        return new Failpoints(configured, () -> kills++);
    }

    private String fired(String point) throws IOException {
        return Files.readString(folder.resolve("averages-0." + point));
    }

    private void commit(Failpoints failpoints) throws IOException {
        failpoints.beforeRename(query.resolve("commits/.7.tmp"), query.resolve("commits/7"));
    }

    @Test
    void withoutAConfigurationNothingFires() throws IOException {
        Failpoints none = Failpoints.of(new Configuration(false));

        commit(none);
        none.afterSink(query.toString(), 7);

        try (var files = Files.list(folder)) {
            assertEquals(List.of(query), files.toList());
        }
    }

    @Test
    void onePointFiresOnceAndSaysAtWhichBatchAndOffsets() throws IOException {
        Failpoints failpoints = failpoints("averages-0/commits=before-commit");

        commit(failpoints);
        commit(failpoints);

        assertEquals(1, kills);
        assertEquals(
                "failpoint before-commit of averages-0: batch 7, offsets {\"readings\":{\"0\":17}}\n", fired("before-commit"));
        Files.delete(folder.resolve("averages-0.before-commit"));
        commit(failpoints);
        assertEquals(2, kills);
    }

    @Test
    void offsetsThatAreAboutToBeNotedAreReadWhereTheyStandYet() throws IOException {
        Files.move(query.resolve("offsets/7"), query.resolve("offsets/.7.tmp"));

        failpoints("averages-0/offsets=after-sink")
                .beforeRename(query.resolve("offsets/.7.tmp"), query.resolve("offsets/7"));

        assertEquals(1, kills);
        assertTrue(fired("after-sink").contains("batch 7, offsets {\"readings\":{\"0\":17}}"));
    }

    @Test
    void aSinkOfPythonsSaysItself() throws IOException {
        failpoints("averages-0/commits=before-commit").afterSink(query.toString(), 7);
        assertEquals(0, kills);

        failpoints("averages-0/sink=after-sink").afterSink(query.toString(), 7);
        assertEquals(1, kills);
        assertTrue(fired("after-sink").contains("batch 7"));
    }

    @Test
    void otherQueriesAndOtherFilesPass() throws IOException {
        Failpoints failpoints = failpoints("averages-1/commits=before-commit,averages-0/offsets=after-sink");

        commit(failpoints);
        failpoints.beforeRename(query.resolve("state/.7.tmp"), query.resolve("state/7"));
        failpoints.beforeRename(Path.of("/7.tmp"), Path.of("/7"));

        assertEquals(0, kills);
    }

    /** Renames as Spark does, through the file system of the checkpoints. */
    static final class Commit {
        public static void main(String[] arguments) throws IOException {
            Configuration configuration = new Configuration();
            configuration.set("fs.AbstractFileSystem.file.impl", LocalFiles.class.getName());
            configuration.set(Failpoints.KEY, "averages-0/commits=before-commit");
            FileContext files = FileContext.getFileContext(URI.create("file:///"), configuration);
            URI commits = URI.create(arguments[0]);
            files.rename(
                    new org.apache.hadoop.fs.Path(commits.resolve(".7.tmp")),
                    new org.apache.hadoop.fs.Path(commits.resolve("7")),
                    Rename.NONE);
        }
    }

    @Test
    void thisJvmAndItsParentAreKilledBeforeTheCommitAndNotTheNextTime() throws IOException, InterruptedException {
        String[] parent = {
            "sh", "-c", "\"$@\"; exit $?", "sh", ProcessHandle.current().info().command().orElseThrow(), "-cp",
            System.getProperty("java.class.path"), Commit.class.getName(), query.resolve("commits").toUri().toString()
        };

        assertEquals(KILLED, new ProcessBuilder(parent).inheritIO().start().waitFor());
        assertFalse(Files.exists(query.resolve("commits/7")));
        assertTrue(fired("before-commit").startsWith("failpoint before-commit of averages-0: batch 7"));

        assertEquals(0, new ProcessBuilder(parent).inheritIO().start().waitFor());
        assertTrue(Files.exists(query.resolve("commits/7")));
    }
}
