package org.vse.provisioner;

import java.util.regex.Pattern;

/**
 * Name of a machine, unique on its node. Safe as a domain name, file name and path element; short, because it becomes
 * part of socket paths (107 bytes at most, unix(7)).
 */
public record VmName(String value) {
    private static final Pattern GRAMMAR = Pattern.compile("[a-z][a-z0-9-]{0,39}");

    public VmName {
        if (!GRAMMAR.matcher(value).matches()) {
            throw new IllegalArgumentException("not a machine name: '" + value + "'");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
