package galewatch.spark;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A real server that answers as the registry does, and can be told to answer otherwise. */
final class FakeRegistry implements AutoCloseable {
    static final String SUBJECT = "readings-value";

    /** What was asked for, in order. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    /** Bodies by path; any other path is 404. */
    final Map<String, String> bodies = new ConcurrentHashMap<>();

    /** The status of every answer, unless 0. */
    volatile int status;

    private final HttpServer server;

    FakeRegistry() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** Gives the id a schema, as a version of a subject. */
    void register(long id, String subject, String schema) {
        String text = "\"" + schema.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + "\"";
        bodies.put("/api/schemas/ids/" + id, "{\"schema\":" + text + "}");
        bodies.put("/api/schemas/ids/" + id + "/versions", "[{\"subject\":\"" + subject + "\",\"version\":1}]");
    }

    RegistrySettings settings() {
        return settings("secret");
    }

    RegistrySettings settings(String password) {
        String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/api";
        return new RegistrySettings(url, "client", password, SUBJECT);
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        asked.add(path);
        boolean allowed = "Basic Y2xpZW50OnNlY3JldA=="
                .equals(exchange.getRequestHeaders().getFirst("Authorization"));
        String body = bodies.getOrDefault(path, "{\"error_code\":40403}");
        int code = !allowed ? 401 : bodies.containsKey(path) ? 200 : 404;
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status == 0 ? code : status, bytes.length);
        try (exchange) {
            exchange.getResponseBody().write(bytes);
        }
    }
}
