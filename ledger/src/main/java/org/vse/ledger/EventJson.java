package org.vse.ledger;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/** Events as JSON: instants in ISO 8601 UTC, unknown and missing properties refused. */
final class EventJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .addModule(new SimpleModule()
                    .addSerializer(Instant.class, new Writer())
                    .addDeserializer(Instant.class, new Reader())
                    .addSerializer(Duration.class, ToStringSerializer.instance)
                    .addDeserializer(Duration.class, new Times()))
            .build();

    private EventJson() {}

    static byte[] write(LedgerEvent event) {
        try {
            return MAPPER.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an event that cannot be written: " + event.id(), e);
        }
    }

    static JsonNode tree(LedgerEvent event) {
        return MAPPER.valueToTree(event);
    }

    /** @throws IOException when it is not an event that this version knows */
    static LedgerEvent read(JsonNode tree) throws IOException {
        return MAPPER.treeToValue(tree, LedgerEvent.class);
    }

    /** @throws IOException when it is not an event that this version knows */
    static LedgerEvent read(byte[] json) throws IOException {
        return MAPPER.readValue(json, LedgerEvent.class);
    }

    private static final class Writer extends StdScalarSerializer<Instant> {
        private static final long serialVersionUID = 1L;

        Writer() {
            super(Instant.class);
        }

        @Override
        public void serialize(Instant value, JsonGenerator to, SerializerProvider provider) throws IOException {
            to.writeString(value.toString());
        }
    }

    private static final class Times extends StdScalarDeserializer<Duration> {
        private static final long serialVersionUID = 1L;

        Times() {
            super(Duration.class);
        }

        @Override
        public Duration deserialize(JsonParser from, DeserializationContext context) throws IOException {
            try {
                return Duration.parse(from.getText());
            } catch (DateTimeParseException e) {
                throw context.weirdStringException(from.getText(), Duration.class, "not a duration in ISO 8601");
            }
        }
    }

    private static final class Reader extends StdScalarDeserializer<Instant> {
        private static final long serialVersionUID = 1L;

        Reader() {
            super(Instant.class);
        }

        @Override
        public Instant deserialize(JsonParser from, DeserializationContext context) throws IOException {
            try {
                return Instant.parse(from.getText());
            } catch (DateTimeParseException e) {
                throw context.weirdStringException(from.getText(), Instant.class, "not an instant in ISO 8601");
            }
        }
    }
}
