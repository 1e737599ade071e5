package org.vse.policy.gate;

import java.util.List;
import java.util.Optional;

/**
 * A {@code key} line.
 *
 * @param standard the value where nobody gives one; empty where that depends on the job
 * @param arguments of the kind
 */
record GateKey(String standard, String kind, List<String> arguments) {
    private static final String PART = "[a-z0-9][a-z0-9._-]{0,63}";
    private static final String BAD = "DIRECTIVE_BAD_VALUE";
    private static final String RANGE = "DIRECTIVE_OUT_OF_RANGE";
    private static final int LONGEST_PATH = 1024;
    private static final int MOST_DIGITS = 15;
    private static final String UNITS = "KMGT";

    /** The code of what is wrong with a value. */
    Optional<String> mistake(String value) {
        return switch (kind) {
            case "image" -> when(!value.matches(PART + "(:" + PART + ")?"), BAD);
            case "file" ->
                when(value.length() > LONGEST_PATH || !value.matches(".*[^/]\\.ya?ml") || value.contains("//"), BAD);
            case "words" -> Optional.empty();
            case "choice" -> when(!List.of(arguments.get(0).split(",")).contains(value), BAD);
            case "count" -> {
                if (!value.matches("-?[0-9]+")) {
                    yield Optional.of(BAD);
                }
                yield when(value.startsWith("-") || outside(number(value), arguments), RANGE);
            }
            case "size" -> {
                if (!value.matches("[0-9]+[KMGT]iB")) {
                    yield Optional.of(BAD);
                }
                double bytes = number(value);
                yield when(outside(bytes, arguments) || bytes % Double.parseDouble(arguments.get(2)) != 0, RANGE);
            }
            default -> throw new IllegalArgumentException("unknown kind '" + kind + "'");
        };
    }

    /** The number that a count or a size means, in the arithmetic of the languages that gates are written in. */
    static double number(String text) {
        int digits = 0;
        while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
            digits++;
        }
        String whole = text.substring(0, digits).replaceFirst("^0+(?=.)", "");
        if (whole.length() > MOST_DIGITS) {
            return Double.POSITIVE_INFINITY;
        }
        double unit = digits == text.length() ? 1 : Math.pow(1024, UNITS.indexOf(text.charAt(digits)) + 1);
        return Double.parseDouble(whole) * unit;
    }

    private static boolean outside(double number, List<String> bounds) {
        return number < Double.parseDouble(bounds.get(0)) || number > Double.parseDouble(bounds.get(1));
    }

    private static Optional<String> when(boolean wrong, String code) {
        return wrong ? Optional.of(code) : Optional.empty();
    }
}
