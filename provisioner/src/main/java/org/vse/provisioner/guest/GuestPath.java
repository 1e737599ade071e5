package org.vse.provisioner.guest;

/** Absolute paths inside a guest. */
final class GuestPath {
    /** PATH_MAX of Linux less the final NUL. */
    private static final int MAX = 4095;

    private GuestPath() {}

    /** @return the path */
    static String require(String path) {
        if (!path.startsWith("/") || path.length() > MAX || path.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("not an absolute path: '" + Excerpt.of(path) + "'");
        }
        return path;
    }
}
