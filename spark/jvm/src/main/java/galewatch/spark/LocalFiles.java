package galewatch.spark;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FsServerDefaults;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.local.LocalConfigKeys;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * The file system of the checkpoints: Hadoop's local one without its child processes and without its checksum files.
 *
 * <p>Without Hadoop's native library, which is for a cluster of Hadoop's, that one runs `chmod` for each file it makes, and
 * beside each it makes one with a checksum that a reader by this way does not verify. A batch of averages makes a dozen files,
 * one after the other; each was two and cost two processes. (What can be verified, the state, Spark gives checksums itself.)
 */
public final class LocalFiles extends DelegateToFileSystem {
    private static final int NO_PORT = -1;

    private final Failpoints failpoints;

    /** Makes the file system; Hadoop calls this when `fs.AbstractFileSystem.file.impl` names the class. */
    public LocalFiles(URI uri, Configuration configuration) throws IOException, URISyntaxException {
        super(uri, new InProcess(), configuration, uri.getScheme(), false);
        failpoints = Failpoints.of(configuration);
    }

    @Override
    public void renameInternal(Path from, Path to) throws IOException {
        failpoints.beforeRename(local(from), local(to));
        super.renameInternal(from, to);
    }

    private static java.nio.file.Path local(Path path) {
        return java.nio.file.Path.of(path.toUri().getPath());
    }

    @Override
    public int getUriDefaultPort() {
        return NO_PORT;
    }

    @Override
    public FsServerDefaults getServerDefaults(Path path) throws IOException {
        return LocalConfigKeys.getServerDefaults();
    }

    @Override
    public boolean isValidName(String source) {
        return true;
    }

    private static final class InProcess extends RawLocalFileSystem {
        @Override
        public void setPermission(Path path, FsPermission permission) throws IOException {
            String mode = permission.getUserAction().SYMBOL
                    + permission.getGroupAction().SYMBOL
                    + permission.getOtherAction().SYMBOL;
            Files.setPosixFilePermissions(pathToFile(path).toPath(), PosixFilePermissions.fromString(mode));
        }
    }
}
