package org.vse.policy;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as text: a whole number and one of KiB, MiB, GiB, TiB (IEC 80000-13). */
public final class ByteSize {
    public static final long KIB = 1L << 10;
    public static final long MIB = 1L << 20;
    public static final long GIB = 1L << 30;
    public static final long TIB = 1L << 40;

    private static final List<String> UNITS = List.of("KiB", "MiB", "GiB", "TiB");
    private static final Pattern SIZE = Pattern.compile("([0-9]+)([KMGT]iB)");
    private static final Pattern NEARLY =
            Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,6})?)([kmgt]?)i?b?", Pattern.CASE_INSENSITIVE);

    private ByteSize() {}

    /** @return bytes, {@link Long#MAX_VALUE} for more than that; empty when the text is not a size */
    public static OptionalLong parse(String text) {
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) {
            return OptionalLong.empty();
        }
        long unit = KIB << (10 * UNITS.indexOf(size.group(2)));
        String digits = size.group(1).replaceFirst("^0+(?=.)", "");
        if (digits.length() > 18 || Long.parseLong(digits) > Long.MAX_VALUE / unit) {
            return OptionalLong.of(Long.MAX_VALUE);
        }
        return OptionalLong.of(Long.parseLong(digits) * unit);
    }

    /** @param bytes a multiple of 1 KiB; the text has the largest unit that is exact */
    public static String format(long bytes) {
        if (bytes % KIB != 0) {
            throw new IllegalArgumentException("not a multiple of 1 KiB: " + bytes);
        }
        int unit = 0;
        long count = bytes / KIB;
        while (unit < UNITS.size() - 1 && count != 0 && count % 1024 == 0) {
            count /= 1024;
            unit++;
        }
        return count + UNITS.get(unit);
    }

    /**
     * What was probably meant by a text that is not a size: {@code 2G} is 2GiB, {@code 1.5GiB} is 1536MiB; a number without
     * a unit is taken as bytes when it is a whole number of MiB, else as MiB.
     */
    static Optional<String> suggestion(String text) {
        Matcher nearly = NEARLY.matcher(text);
        if (!nearly.matches()) {
            return Optional.empty();
        }
        BigDecimal number = new BigDecimal(nearly.group(1));
        String letter = nearly.group(2).toUpperCase(Locale.ROOT);
        if (letter.isEmpty()) {
            boolean bytes = number.signum() > 0
                    && number.remainder(BigDecimal.valueOf(MIB)).signum() == 0;
            number = bytes ? number : number.multiply(BigDecimal.valueOf(MIB));
        } else {
            number = number.multiply(BigDecimal.valueOf(KIB << (10 * "KMGT".indexOf(letter))));
        }
        boolean whole = number.remainder(BigDecimal.valueOf(KIB)).signum() == 0
                && number.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0;
        return whole ? Optional.of(format(number.longValueExact())) : Optional.empty();
    }
}
