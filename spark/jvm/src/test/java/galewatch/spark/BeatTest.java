package galewatch.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class BeatTest {
    @Test
    void aBeatTellsWhenWhatAndHow() throws Exception {
        JsonNode told = new ObjectMapper().readTree(Heart.text(1_780_000_000_999L, 2, "X: \"no\" node", Map.of("late", 3L)));

        assertEquals(1_780_000_000L, told.get("stored_at").asLong());
        assertEquals(2, told.get("tasks").asInt());
        assertEquals("X: \"no\" node", told.get("trouble").asText());
        assertEquals(3, told.get("counts").get("late").asLong());
        assertTrue(Math.abs(System.currentTimeMillis() / 1000 - told.get("at").asLong()) < 60);
    }

    @Test
    void troubleIsOneLineOfBearableLength() {
        Trouble trouble = new Trouble(LoggerFactory.getLogger("test"));
        assertNull(trouble.current());

        trouble.with(new IllegalStateException("two\nlines " + "x".repeat(1000)));

        assertTrue(trouble.current().startsWith("IllegalStateException: two lines x"));
        assertEquals(300, trouble.current().length());
    }

    @Test
    void offsetsComeAsJson() {
        assertEquals(Map.of(0, 17L, 12, 5_000_000_000L), QueryProgress.parse("{\"0\": 17, \"12\": 5000000000}"));
        assertThrows(IllegalArgumentException.class, () -> QueryProgress.parse("{"));
    }
}
