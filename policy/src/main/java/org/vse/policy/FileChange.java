package org.vse.policy;

/**
 * One change to the files of an image, made before a job's VMs boot from it.
 *
 * @param path of the guest, absolute, without {@code .} and {@code ..}: what is changed
 * @param with what: of a copy the file of the node, of a link what it points to, of an edit the command of sed(1); empty
 *     for a deletion
 */
public record FileChange(Kind kind, String path, String with) {
    private static final String GUEST = "(/(?![.]{1,2}(/|:|$))[A-Za-z0-9._@+-]+)+";
    static final String FORM = "copy:[A-Za-z0-9._@+/-]{1,512}:" + GUEST + "|link:[A-Za-z0-9._@+/-]{1,512}:" + GUEST
            + "|delete:" + GUEST + "|edit:" + GUEST + ":s[^A-Za-z0-9\\s,\\\\][^\\n,]{1,512}";
    static final String RANGE =
            "copy:FILE:/PATH, link:TARGET:/PATH, delete:/PATH or edit:/PATH:s/THIS/THAT/ without a comma";

    /** What is done. */
    public enum Kind {
        COPY,
        LINK,
        DELETE,
        EDIT
    }

    /** One word of {@code files=}. */
    public static FileChange one(String word) {
        String[] parts = word.split(":", 3);
        return switch (parts[0]) {
            case "copy" -> new FileChange(Kind.COPY, parts[2], parts[1]);
            case "link" -> new FileChange(Kind.LINK, parts[2], parts[1]);
            case "delete" -> new FileChange(Kind.DELETE, parts[1], "");
            case "edit" -> new FileChange(Kind.EDIT, parts[1], parts[2]);
            default -> throw new IllegalArgumentException("not a change of a file: '" + word + "'");
        };
    }
}
