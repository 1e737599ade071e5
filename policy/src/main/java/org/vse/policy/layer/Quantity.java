package org.vse.policy.layer;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.vse.policy.ByteSize;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Grammar;

/** What a queue can limit by number: a product of values of the job. */
public enum Quantity {
    VCPUS("vcpus", "vcpus"),
    MEMORY("memory", "memory"),
    DISK("disk", "disk"),
    VMS_PER_NODE("vms-per-node", "vms-per-node"),
    VCPUS_PER_NODE("vcpus-per-node", "vms-per-node", "vcpus"),
    MEMORY_PER_NODE("memory-per-node", "vms-per-node", "memory"),
    VMS("vms", Quantity.NODES, "vms-per-node"),
    VCPUS_PER_JOB("vcpus-per-job", Quantity.NODES, "vms-per-node", "vcpus"),
    MEMORY_PER_JOB("memory-per-job", Quantity.NODES, "vms-per-node", "memory"),
    BOOT_TIMEOUT("boot-timeout", "boot-timeout"),
    BUILD_TIMEOUT("build-timeout", "build-timeout"),
    BUILD_SIZE("build-size", "build-size");

    /** The one factor that is not a key: nodes that the batch system was asked for. */
    public static final String NODES = "nodes";

    private final String word;

    @SuppressWarnings("ImmutableEnumChecker") // an unmodifiable list of strings
    private final List<String> factors;

    Quantity(String word, String... factors) {
        this.word = word;
        this.factors = List.of(factors);
    }

    /** As written below {@code limits}. */
    public String word() {
        return word;
    }

    /** Words of keys, and {@link #NODES}. */
    public List<String> factors() {
        return factors;
    }

    /** The factors of the job's head, where these differ: the largest VM counts for all. */
    public List<String> headFactors() {
        return factors.stream()
                .map(f -> DirectiveKey.of("head-" + f).map(DirectiveKey::word).orElse(f))
                .toList();
    }

    /** Whether its bound is a size of bytes. */
    boolean isSize() {
        return factors.stream()
                .flatMap(f -> DirectiveKey.of(f).stream())
                .anyMatch(k -> k.grammar() instanceof Grammar.Size);
    }

    /** The number that a bound's text means; empty when it means none. */
    OptionalLong bound(String text) {
        return isSize() ? ByteSize.parse(text) : count(text);
    }

    /** The number that a factor's text means. */
    static long factor(String text) {
        return ByteSize.parse(text).orElseGet(() -> Long.parseLong(text));
    }

    private static OptionalLong count(String text) {
        return text.matches("[0-9]{1,9}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    }

    static List<String> words() {
        return Arrays.stream(values()).map(Quantity::word).toList();
    }
}
