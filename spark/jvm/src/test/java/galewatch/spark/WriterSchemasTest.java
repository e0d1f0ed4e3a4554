package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WriterSchemasTest {
    private final AtomicLong clock = new AtomicLong();
    private FakeRegistry registry;

    @BeforeEach
    void start() throws IOException {
        registry = new FakeRegistry();
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private WriterSchemas schemas(RegistrySettings settings) {
        return new WriterSchemas(settings, Duration.ZERO, clock::get);
    }

    @Test
    void aKnownIdIsAskedForOnce() {
        registry.register(7, FakeRegistry.SUBJECT, "\"string\"");
        WriterSchemas schemas = schemas(registry.settings());

        assertEquals("\"string\"", schemas.of(7).schema().toString());
        clock.set(Duration.ofDays(1).toNanos());
        assertNull(schemas.of(7).refusal());
        assertEquals(List.of("/api/schemas/ids/7/versions", "/api/schemas/ids/7"), registry.asked);
    }

    @Test
    void anUnknownIdIsPoisonAndNotAskedForAgainAtOnce() {
        WriterSchemas schemas = schemas(registry.settings());

        assertEquals("schema id 9 is not known to the registry", schemas.of(9).refusal());
        assertNull(schemas.of(9).schema());
        assertEquals(1, registry.asked.size());
    }

    @Test
    void aSchemaThatRefersToAnotherIsPoisonAndStopsNobody() {
        registry.register(7, FakeRegistry.SUBJECT, "\"n.Other\"");
        registry.bodies.put(
                "/api/schemas/ids/7",
                "{\"schema\":\"\\\"n.Other\\\"\",\"references\":[{\"name\":\"n.Other\",\"subject\":\"other\",\"version\":1}]}");

        assertEquals(
                "schema id 7 refers to other subjects, which are not followed",
                schemas(registry.settings()).of(7).refusal());
    }

    @Test
    void anIdThatIsRegisteredAMomentAfterItWasUnknownIsFound() {
        WriterSchemas schemas = schemas(registry.settings());
        assertNotNull(schemas.of(9).refusal());
        registry.register(9, FakeRegistry.SUBJECT, "\"string\"");

        clock.set(Duration.ofSeconds(6).toNanos());

        assertNotNull(schemas.of(9).schema());
    }

    @Test
    void anIdOfAnotherSubjectIsPoisonThatNamesIt() {
        registry.register(3, "alerts-value", "\"string\"");

        assertEquals(
                "schema id 3 belongs to alerts-value, not to readings-value",
                schemas(registry.settings()).of(3).refusal());
    }

    @Test
    void aSchemaThatVanishesBetweenTwoQuestionsIsUnknown() {
        registry.register(3, FakeRegistry.SUBJECT, "\"string\"");
        registry.bodies.remove("/api/schemas/ids/3");

        assertEquals(
                "schema id 3 is not known to the registry",
                schemas(registry.settings()).of(3).refusal());
    }

    @Test
    void anErrorOfTheRegistryIsNoAnswer() {
        registry.status = 503;

        String said = unreachable(registry.settings());

        assertTrue(said.contains("answered 503 (asked for /schemas/ids/5/versions as user 'client')"), said);
    }

    @Test
    void aRefusedLoginIsNoAnswerAndThePasswordIsNotSaid() {
        String said = unreachable(registry.settings("hunter2"));

        assertTrue(said.contains("answered 401"), said);
        assertFalse(said.contains("hunter2"), said);
        assertFalse(registry.settings("hunter2").toString().contains("hunter2"));
    }

    @Test
    void aRegistryThatIsAwayIsNoAnswer() {
        registry.close();

        String said = unreachable(registry.settings());

        assertTrue(said.contains("cannot be reached"), said);
    }

    @Test
    void whatIsNoJsonIsNoAnswer() {
        registry.bodies.put("/api/schemas/ids/5/versions", "<html>");

        assertTrue(unreachable(registry.settings()).contains("answered no JSON"));
    }

    @Test
    void aSchemaThatIsNoAvroIsNoAnswer() {
        registry.register(5, FakeRegistry.SUBJECT, "syntax = proto3");

        assertTrue(unreachable(registry.settings()).contains("answered no Avro schema"));
    }

    @Test
    void aShortOutageIsWaitedFor() {
        registry.status = 503;
        registry.register(5, FakeRegistry.SUBJECT, "\"string\"");
        WriterSchemas schemas = new WriterSchemas(registry.settings(), Duration.ofSeconds(30), () -> {
            // The second look at the clock comes after the first failure: then the registry is back.
            if (!registry.asked.isEmpty()) {
                registry.status = 0;
            }
            return System.nanoTime();
        });

        assertNotNull(schemas.of(5).schema());
        assertEquals("/api/schemas/ids/5/versions", registry.asked.get(1));
    }

    @Test
    void aTaskThatIsEndedWaitsForNoAnswer() {
        for (Duration patience : List.of(Duration.ZERO, Duration.ofSeconds(30))) {
            WriterSchemas schemas = new WriterSchemas(registry.settings(), patience, System::nanoTime);
            Thread.currentThread().interrupt();

            RegistryUnreachableException ended =
                    assertThrows(RegistryUnreachableException.class, () -> schemas.of(5));

            assertTrue(Thread.interrupted(), "whoever ends the task still sees it");
            assertTrue(ended.getMessage().contains("the task is ended"), ended.getMessage());
        }
    }

    @Test
    void aFloodOfUnknownIdsDoesNotFillTheMemory() {
        WriterSchemas schemas = schemas(registry.settings());
        for (long id = 0; id <= WriterSchemas.REFUSALS_AT_MOST; id++) {
            schemas.of(id);
        }

        schemas.of(0);

        assertEquals(WriterSchemas.REFUSALS_AT_MOST + 2, registry.asked.size());
    }

    private String unreachable(RegistrySettings settings) {
        WriterSchemas schemas = schemas(settings);
        return assertThrows(RegistryUnreachableException.class, () -> schemas.of(5)).getMessage();
    }
}
