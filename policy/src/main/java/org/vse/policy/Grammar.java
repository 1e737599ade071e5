package org.vse.policy;

import java.util.List;
import java.util.Optional;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** What a directive's value may be. Texts hold only visible ASCII characters; the reader of the line sees to that. */
public sealed interface Grammar {
    /** Accepts or refuses a value. The refusal has no position: the caller knows it. */
    void check(String text);

    /** The allowed values in words for documents and errors. */
    String range();

    /** An image's name. */
    record Image() implements Grammar {
        @Override
        public void check(String text) {
            ImageReference.parse(text);
        }

        @Override
        public String range() {
            return ImageReference.RANGE;
        }
    }

    /** The path of a description. */
    record DescriptionFile() implements Grammar {
        private static final int LONGEST = 1024;

        @Override
        public void check(String text) {
            if (text.length() > LONGEST || !text.matches(".*[^/]\\.ya?ml") || text.contains("//")) {
                throw bad(text, "not the path of a description", range());
            }
        }

        @Override
        public String range() {
            return "path of a .yaml or .yml file, at most " + LONGEST + " characters";
        }
    }

    /** A decimal number. */
    record Count(int least, int most) implements Grammar {
        @Override
        public void check(String text) {
            if (!text.matches("[0-9]+")) {
                boolean negative = text.matches("-[0-9]+");
                throw negative ? outOfRange(text, range()) : bad(text, "not a whole number", range());
            }
            String digits = text.replaceFirst("^0+(?=.)", "");
            if (digits.length() > 9 || Integer.parseInt(digits) < least || Integer.parseInt(digits) > most) {
                throw outOfRange(text, range());
            }
        }

        @Override
        public String range() {
            return least + " to " + most;
        }
    }

    /** A size of bytes. */
    record Size(long least, long most, long step) implements Grammar {
        @Override
        public void check(String text) {
            long bytes = ByteSize.parse(text).orElseThrow(() -> notASize(text));
            if (bytes < least || bytes > most) {
                throw outOfRange(text, range());
            }
            if (bytes % step != 0) {
                throw outOfRange(text, range()).next("round to '" + ByteSize.format((bytes / step + 1) * step) + "'");
            }
        }

        private VseException notASize(String text) {
            Optional<String> meant = ByteSize.suggestion(text);
            VseException bad = text.matches("[0-9]+")
                    ? bad(text, "a number without a unit", range())
                    : bad(text, "not a size", range());
            return bad.fact("units", "KiB, MiB, GiB, TiB")
                    .next(meant.map(m -> "did you mean '" + m + "'?")
                            .orElse("write a whole number and a unit, such as '512MiB'"));
        }

        @Override
        public String range() {
            String bounds = ByteSize.format(least) + " to " + ByteSize.format(most);
            return step == ByteSize.KIB ? bounds : bounds + ", a multiple of " + ByteSize.format(step);
        }
    }

    /** One of some words. */
    record Choice(List<String> words) implements Grammar {
        public Choice {
            words = List.copyOf(words);
        }

        @Override
        public void check(String text) {
            if (!words.contains(text)) {
                VseException bad = bad(text, "not one of the values", range());
                throw bad.next(DidYouMean.of(text, words)
                        .map(m -> "did you mean '" + m + "'?")
                        .orElse("write one of the allowed values"));
            }
        }

        @Override
        public String range() {
            return String.join(", ", words);
        }
    }

    /**
     * One word.
     *
     * @param form as a regular expression
     * @param range the form in words, for people
     */
    record Word(String form, String range) implements Grammar {
        @Override
        public void check(String text) {
            if (!text.matches(form)) {
                throw bad(text, "not such a word", range);
            }
        }
    }

    /**
     * Words separated by commas, each once.
     *
     * @param form of each
     * @param words the form in words, for people
     */
    record Words(String form, String words) implements Grammar {
        /** Most words of one value. */
        public static final int MOST = 32;

        /** The words of a value that was accepted. */
        public static List<String> of(String text) {
            return List.of(text.split(",", -1));
        }

        @Override
        public void check(String text) {
            List<String> all = of(text);
            for (String each : all) {
                if (!each.matches(form)) {
                    throw bad(each, "not one of such a list", range());
                }
            }
            if (all.size() > MOST || new java.util.HashSet<>(all).size() < all.size()) {
                throw bad(text, "a list with something twice, or of more than " + MOST, range());
            }
        }

        @Override
        public String range() {
            return words + ", several separated by commas";
        }
    }

    /** Commands of a shell; several only where a file lists them. */
    record Commands(int longest) implements Grammar {
        /** Between the commands of one value. */
        public static final String BETWEEN = "\n";

        /** The commands of a value that was accepted. */
        public static List<String> of(String text) {
            return List.of(text.split(BETWEEN, -1));
        }

        @Override
        public void check(String text) {
            List<String> all = of(text);
            boolean good = all.stream()
                    .allMatch(each -> !each.isBlank()
                            && each.length() <= longest
                            && each.chars().noneMatch(c -> c < ' ' || c == 0x7f));
            if (!good || all.size() > Words.MOST) {
                throw bad(text, "not such commands", range());
            }
        }

        @Override
        public String range() {
            return "command of the guest's shell, at most " + longest + " characters";
        }
    }

    private static VseException bad(String text, String why, String range) {
        return VseException.of(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + text + "' is " + why)
                .fact("allowed", range)
                .next("write an allowed value");
    }

    private static VseException outOfRange(String text, String range) {
        return VseException.of(ErrorCode.DIRECTIVE_OUT_OF_RANGE, "'" + text + "' is out of range")
                .fact("allowed", range)
                .next("write an allowed value");
    }
}
