package org.vse.job.daemon;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.log.LogFormat;
import org.vse.job.peer.PeerNodes;
import org.vse.policy.ByteSize;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * {@code vsed.yaml}: a flat list of keys, described in docs/configuration.md. All mistakes of a file are reported at once;
 * an unknown key is a mistake.
 */
final class ConfigFile {
    private static final long MAX_BYTES = 1 << 16;
    private static final Pattern LISTEN = Pattern.compile("([0-9A-Za-z.-]+)(?::([0-9]{1,5}))?");
    private static final Pattern METRICS = Pattern.compile("(?:([0-9A-Za-z.-]+|\\[[0-9A-Fa-f:]+]):)?([0-9]{1,5})");

    private ConfigFile() {}

    /** The keys, with what each means when the file does not say. */
    enum Key {
        NODE("node", "the host name"),
        CORES("cores", "all that vsed may use"),
        OVERSUBSCRIBE("oversubscribe", "1"),
        MEMORY("memory", "all of the node"),
        MACHINE_OVERHEAD("machine-overhead", "256MiB"),
        SHARE_MEMORY("share-memory", "512MiB"),
        MAX_OUTPUT("max-output", "16GiB"),
        MAX_CONSOLE("max-console", "64MiB"),
        ACCELERATOR("accelerator", "auto"),
        IMAGE_SOURCE("image-source", "none"),
        IMAGE_CACHE("image-cache", "64GiB"),
        FIRST_QEMU_UID("first-qemu-uid", "1879048192"),
        QEMU_UIDS("qemu-uids", "1024"),
        QEMU_GID("qemu-gid", "the group kvm, else 65534"),
        BOOT_TIMEOUT("boot-timeout", "120s"),
        SETUP_TIMEOUT("setup-timeout", "60s"),
        START_TIMEOUT("start-timeout", "60s"),
        CANCEL_GRACE("cancel-grace", "10s"),
        REAP_INTERVAL("reap-interval", "60s"),
        PEER_LISTEN("peer-listen", "none: this node has no others"),
        PEERS("peers", "by name, on the port of peer-listen"),
        PEER_CERTIFICATES("peer-certificates", "certs beside this file"),
        NODE_LEASE("node-lease", "30s"),
        CHECKPOINTS("checkpoints", "checkpoints in the state directory"),
        CHECKPOINT_KEY("checkpoint-key", "checkpoint.key in the state directory"),
        HEAD_QUESTION("head-question", "the batch system's own, from PATH"),
        HEAD("head", "none: this node's ledger is its own"),
        NODE_LOST("node-lost", "10080m"),
        LEDGER_DATABASE("ledger-database", "sqlite"),
        LEDGER_PASSWORD("ledger-password", "none: the server knows who calls"),
        METRICS_LISTEN("metrics-listen", "none: the daemon's socket only"),
        LOG_FORMAT("log-format", "text"),
        POLICY("policy", "policy.yaml beside this file, if it is there");

        private final String word;
        private final String otherwise;

        Key(String word, String otherwise) {
            this.word = word;
            this.otherwise = otherwise;
        }

        String word() {
            return word;
        }

        /** The default as documented. */
        String otherwise() {
            return otherwise;
        }
    }

    /** One value and where it stands. */
    record Value(String text, String position) {}

    /**
     * Reads the file; a missing one is an empty one.
     *
     * @throws VseException CONFIG_INVALID naming every mistake
     */
    static Map<Key, Value> read(Path file) {
        Map<Key, Value> values = new EnumMap<>(Key.class);
        if (!Files.exists(file)) {
            return values;
        }
        List<String> mistakes = new ArrayList<>();
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw VseException.of(
                                ErrorCode.CONFIG_INVALID, "the configuration is larger than " + MAX_BYTES + " bytes")
                        .at(file.toString());
            }
            try (YAMLParser parser = new YAMLFactory().createParser(file.toFile())) {
                collect(parser, file, values, mistakes);
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the configuration cannot be read")
                    .at(file.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
        if (!mistakes.isEmpty()) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the configuration has " + mistakes.size() + " mistake(s)")
                    .at(file.toString())
                    .fact("found", String.join("\n", mistakes))
                    .next("see docs/configuration.md");
        }
        return values;
    }

    private static void collect(YAMLParser parser, Path file, Map<Key, Value> values, List<String> mistakes)
            throws IOException {
        JsonToken first = parser.nextToken();
        if (first == null) {
            return;
        }
        if (first != JsonToken.START_OBJECT) {
            mistakes.add(position(file, parser) + ": expected 'key: value' lines");
            return;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            String position = position(file, parser);
            JsonToken token = parser.nextToken();
            Key key = key(name);
            if (key == null) {
                mistakes.add(position + ": unknown key '" + name + "'" + suggestion(name));
            } else if (token.isStructEnd() || token.isStructStart() || parser.isCurrentAlias()) {
                mistakes.add(position + ": '" + name + "' takes a single value");
            } else if (values.put(key, new Value(parser.getText(), position)) != null) {
                mistakes.add(position + ": '" + name + "' is given twice");
            }
            parser.skipChildren();
        }
        if (parser.nextToken() != null) {
            mistakes.add(position(file, parser) + ": a second document");
        }
    }

    private static @org.jspecify.annotations.Nullable Key key(String word) {
        for (Key key : Key.values()) {
            if (key.word.equals(word)) {
                return key;
            }
        }
        return null;
    }

    private static String suggestion(String name) {
        return DidYouMean.of(name, List.of(Key.values()).stream().map(Key::word).toList())
                .map(word -> ", did you mean '" + word + "'?")
                .orElse("");
    }

    private static String position(Path file, JsonParser parser) {
        JsonLocation at = parser.currentTokenLocation();
        return file + ":" + at.getLineNr() + ":" + at.getColumnNr();
    }

    /** An absolute path. */
    static Path path(Value value) {
        if (!value.text().startsWith("/") || value.text().indexOf('\0') >= 0) {
            throw bad(value, "an absolute path");
        }
        return Path.of(value.text());
    }

    /** One label of a host name: it becomes part of the names of machines. */
    static String label(Value value) {
        if (!value.text().matches("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")) {
            throw bad(value, "one label of a host name: letters, digits, '-'");
        }
        return value.text();
    }

    /** A whole number within bounds. */
    static int number(Value value, int least, int most) {
        try {
            int number = Integer.parseInt(value.text());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw bad(value, "a number from " + least + " to " + most).because(e);
        }
        throw bad(value, "a number from " + least + " to " + most);
    }

    /** Seconds or minutes: {@code 90s}, {@code 2m}. */
    static Duration duration(Value value) {
        if (!value.text().matches("[1-9][0-9]{0,4}[sm]")) {
            throw bad(value, "seconds or minutes such as 90s or 2m");
        }
        int number = Integer.parseInt(value.text().substring(0, value.text().length() - 1));
        return value.text().endsWith("s") ? Duration.ofSeconds(number) : Duration.ofMinutes(number);
    }

    /** An amount of memory or storage, at least 1 MiB: {@code 512MiB}. */
    static long size(Value value) {
        long bytes = ByteSize.parse(value.text()).orElse(0);
        if (bytes < ByteSize.MIB || bytes > ByteSize.TIB << 10) {
            throw bad(value, "a size of 1MiB or more such as 512MiB or 16GiB");
        }
        return bytes;
    }

    /** A list of numbers and ranges as the kernel writes them: {@code 0-3,8}. */
    static List<Integer> cores(Value value) {
        TreeSet<Integer> cores = new TreeSet<>();
        for (String part : value.text().split(",", -1)) {
            if (!part.matches("[0-9]{1,5}(-[0-9]{1,5})?")) {
                throw bad(value, "cores such as 0-3,8");
            }
            int dash = part.indexOf('-');
            int first = Integer.parseInt(dash < 0 ? part : part.substring(0, dash));
            int last = dash < 0 ? first : Integer.parseInt(part.substring(dash + 1));
            if (last < first) {
                throw bad(value, "cores such as 0-3,8");
            }
            for (int core = first; core <= last; core++) {
                cores.add(core);
            }
        }
        return List.copyOf(cores);
    }

    /** An address and a port to listen at: {@code 10.0.0.1:7411}, or the address alone. */
    static InetSocketAddress listen(Value value) {
        Matcher matcher = LISTEN.matcher(value.text());
        int port = matcher.matches() && matcher.group(2) != null ? Integer.parseInt(matcher.group(2)) : PeerNodes.PORT;
        if (!matcher.matches() || port > 65_535) {
            throw bad(value, "an address such as 10.0.0.1 or 10.0.0.1:7411");
        }
        InetSocketAddress address = new InetSocketAddress(matcher.group(1), port);
        if (address.isUnresolved()) {
            throw bad(value, "an address of this node");
        }
        return address;
    }

    /** A port of the loopback address, {@code 7412}, or of another: {@code 10.0.0.1:7412}; 0 for any free port. */
    static InetSocketAddress metrics(Value value) {
        Matcher matcher = METRICS.matcher(value.text());
        if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 65_535) {
            throw bad(
                    value, "a port of this host's loopback such as 7412, or an address with one such as 10.0.0.1:7412");
        }
        int port = Integer.parseInt(matcher.group(2));
        InetSocketAddress address = matcher.group(1) == null
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
                : new InetSocketAddress(matcher.group(1), port);
        if (address.isUnresolved()) {
            throw bad(value, "an address of this node");
        }
        return address;
    }

    /** What the file says of the log, or else the default. */
    static LogFormat logFormat(Path file) {
        Value value = read(file).get(Key.LOG_FORMAT);
        return value == null ? LogFormat.TEXT : logFormat(value);
    }

    /** {@code text} or {@code json}. */
    static LogFormat logFormat(Value value) {
        return LogFormat.of(value.text()).orElseThrow(() -> bad(value, "text or json"));
    }

    /** Where other nodes are: {@code n1=10.0.0.1 n2=10.0.0.2:7000}. */
    static PeerNodes nodes(Value value, int port) {
        try {
            return PeerNodes.parse(value.text(), port);
        } catch (IllegalArgumentException e) {
            throw bad(value, "nodes such as n1=10.0.0.1 n2=10.0.0.2:7000").because(e);
        }
    }

    /** A command line, its words separated by blanks: {@code env SGE_ROOT=/opt/sge /opt/sge/bin/lx-amd64/qconf -sss}. */
    static List<String> words(Value value) {
        List<String> words = List.of(value.text().strip().split("[ \t]+"));
        if (words.get(0).isEmpty()
                || value.text().chars().anyMatch(each -> each != '\t' && Character.isISOControl(each))) {
            throw bad(value, "a command line, its words separated by blanks");
        }
        return words;
    }

    /** Empty for {@code auto}. */
    static Optional<Accelerator> accelerator(Value value) {
        return switch (value.text()) {
            case "auto" -> Optional.empty();
            case "kvm" -> Optional.of(Accelerator.KVM);
            case "tcg" -> Optional.of(Accelerator.TCG);
            default -> throw bad(value, "auto, kvm or tcg");
        };
    }

    private static VseException bad(Value value, String expected) {
        return VseException.of(ErrorCode.CONFIG_INVALID, "the configuration has a value that cannot be used")
                .at(value.position())
                .fact("found", value.text())
                .fact("expected", expected)
                .next("see docs/configuration.md");
    }
}
