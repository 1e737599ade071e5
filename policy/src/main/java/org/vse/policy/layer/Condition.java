package org.vse.policy.layer;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.policy.ByteSize;

/**
 * Which jobs a variant is for: {@code vms > 64}, {@code memory >= 32GiB}, {@code cluster == alpha}. What it speaks of is what
 * the layers say without their variants, so that no variant decides about another.
 */
public record Condition(Subject subject, String operator, String value) {
    /** The forms in words. */
    static final String RANGE = "'vms > 64', 'memory >= 32GiB' or 'cluster == NAME' (operators > >= < <= == !=)";

    private static final Pattern FORM = Pattern.compile("(vms|memory|cluster) *(>=|<=|==|!=|>|<) *([A-Za-z0-9._-]+)");
    private static final List<String> EQUALITY = List.of("==", "!=");

    /** What a condition can speak of. */
    public enum Subject {
        /** VMs of the whole job. */
        VMS,
        /** Memory of each VM. */
        MEMORY,
        /** Name of the cluster, as the site's policy says it. */
        CLUSTER
    }

    /**
     * A job as conditions see it.
     *
     * @param memory of each VM, bytes
     * @param cluster empty when the site gives no name
     */
    record Job(long vms, long memory, String cluster) {}

    /** Empty when the text is no condition. */
    static Optional<Condition> parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            return Optional.empty();
        }
        Subject subject = Subject.valueOf(form.group(1).toUpperCase(java.util.Locale.ROOT));
        String value = form.group(3);
        boolean good = switch (subject) {
            case VMS -> value.matches("[0-9]{1,9}");
            case MEMORY -> ByteSize.parse(value).isPresent();
            case CLUSTER -> EQUALITY.contains(form.group(2));
        };
        return good ? Optional.of(new Condition(subject, form.group(2), value)) : Optional.empty();
    }

    boolean holds(Job job) {
        int order = switch (subject) {
            case VMS -> Long.compare(job.vms(), Long.parseLong(value));
            case MEMORY -> Long.compare(job.memory(), ByteSize.parse(value).orElseThrow());
            case CLUSTER -> job.cluster().compareTo(value);
        };
        return switch (operator) {
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case "==" -> order == 0;
            default -> order != 0;
        };
    }

    @Override
    public String toString() {
        return subject.name().toLowerCase(java.util.Locale.ROOT) + " " + operator + " " + value;
    }
}
