package galewatch.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import java.io.Serializable;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Where Cassandra is and as whom it is used. All that use it in one JVM share one session. */
public record CassandraAccess(
        String host, int port, String datacenter, String keyspace, String user, String password)
        implements Serializable {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    // A node that comes back is used again within a second or two, not within a minute.
    private static final Duration FIRST_RECONNECTION = Duration.ofMillis(200);
    private static final Duration LAST_RECONNECTION = Duration.ofSeconds(2);
    private static final Map<CassandraAccess, CqlSession> SHARED = new ConcurrentHashMap<>();

    /** Gives the session of this JVM, opened by who asks first; every statement counts as idempotent. */
    CqlSession session() {
        return SHARED.computeIfAbsent(this, CassandraAccess::open);
    }

    private CqlSession open() {
        DriverConfigLoader config = DriverConfigLoader.programmaticBuilder()
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, TIMEOUT)
                .withBoolean(DefaultDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, true)
                // Equal to one replica where there is one, and right where there are three.
                .withString(DefaultDriverOption.REQUEST_CONSISTENCY, "LOCAL_QUORUM")
                // A container that was replaced has the same name and another address.
                .withBoolean(DefaultDriverOption.RESOLVE_CONTACT_POINTS, false)
                .withDuration(DefaultDriverOption.CONNECTION_CONNECT_TIMEOUT, TIMEOUT)
                .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, TIMEOUT)
                .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, TIMEOUT)
                .withDuration(DefaultDriverOption.RECONNECTION_BASE_DELAY, FIRST_RECONNECTION)
                .withDuration(DefaultDriverOption.RECONNECTION_MAX_DELAY, LAST_RECONNECTION)
                .withInt(DefaultDriverOption.NETTY_IO_SIZE, 1)
                .withInt(DefaultDriverOption.NETTY_ADMIN_SIZE, 1)
                .withBoolean(DefaultDriverOption.METADATA_SCHEMA_ENABLED, false)
                .build();
        return CqlSession.builder()
                .withConfigLoader(config)
                .addContactPoint(InetSocketAddress.createUnresolved(host, port))
                .withLocalDatacenter(datacenter)
                .withAuthCredentials(user, password)
                .withKeyspace(keyspace)
                .build();
    }

    /** Never shows the password. */
    @Override
    public String toString() {
        return "CassandraAccess[" + host + ":" + port + ", " + keyspace + ", " + user + "]";
    }
}
