package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.Options.CreateOpts;
import org.apache.hadoop.fs.Options.Rename;
import org.apache.hadoop.fs.permission.FsPermission;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalFilesTest {
    private static final byte[] TEXT = "v1\n{}\n".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path folder;

    private FileContext files;

    @BeforeEach
    void open() throws IOException {
        Configuration configuration = new Configuration();
        configuration.set("fs.AbstractFileSystem.file.impl", LocalFiles.class.getName());
        files = FileContext.getFileContext(URI.create("file:///"), configuration);
    }

    private org.apache.hadoop.fs.Path at(String name) {
        return new org.apache.hadoop.fs.Path(folder.resolve(name).toUri());
    }

    private void write(String name, String mode) throws IOException {
        try (FSDataOutputStream out = files.create(
                at(name), EnumSet.of(CreateFlag.CREATE), CreateOpts.perms(new FsPermission(mode)), CreateOpts.createParent())) {
            out.write(TEXT);
        }
    }

    @Test
    void whatIsWrittenUnderAnotherNameIsReadUnderItsOwn() throws IOException {
        assertInstanceOf(LocalFiles.class, files.getDefaultFileSystem());
        write("commits/.0.tmp", "644");

        files.rename(at("commits/.0.tmp"), at("commits/0"), Rename.NONE);

        try (FSDataInputStream in = files.open(at("commits/0"))) {
            assertArrayEquals(TEXT, in.readAllBytes());
        }
        assertArrayEquals(new String[] {"0"}, folder.resolve("commits").toFile().list());
        assertThrows(IOException.class, () -> files.rename(at("commits/0"), at("missing/0"), Rename.NONE));
    }

    @Test
    void permissionsAreThoseThatWereAskedFor() throws IOException {
        for (String mode : new String[] {"644", "640", "600"}) {
            write(mode, mode);

            assertEquals(
                    new FsPermission(mode).toString(),
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(mode))));
        }
    }
}
