package org.vse.policy;

import java.util.List;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/**
 * What a job script says in its header: the lines before the first command, which are blank or comments.
 *
 * @param file the script's name, for positions
 * @param header all its header lines, those of schedulers included
 * @param settings what its {@code #VSE} lines say
 * @param late {@code #VSE} lines after the first command. They mean nothing; their author may think otherwise
 */
public record JobScript(String file, List<HeaderLine> header, Settings settings, List<SourcePosition> late) {
    public JobScript {
        header = List.copyOf(header);
        late = List.copyOf(late);
    }

    /**
     * Reads the header. Lines that are not ours are nobody's error; a script may have no {@code #VSE} line at all.
     *
     * @param file for positions only; never opened
     * @throws VseException with {@code file:line:column}: SCRIPT_UNREADABLE when the text is too large or not text, else
     *     the first of the mistakes in {@code #VSE} lines (DIRECTIVE_SYNTAX, _UNKNOWN_KEY, _DUPLICATE, _BAD_VALUE,
     *     _OUT_OF_RANGE, _CONFLICT), with all others as its fact {@code more}
     */
    public static JobScript parse(String file, String text) {
        return HeaderReader.read(file, text);
    }

    /** Whether the script asks for VMs. */
    public boolean isVse() {
        return !settings.isEmpty();
    }

    /**
     * What the script asks for when there are no other layers.
     *
     * @throws VseException as {@link JobDescription#of}; DIRECTIVE_IMAGE_MISSING when the script has no {@code #VSE} line
     */
    public JobDescription description() {
        requireVse();
        return JobDescription.of(settings);
    }

    /** @throws VseException DIRECTIVE_IMAGE_MISSING when the script has no {@code #VSE} line */
    public void requireVse() {
        if (!isVse()) {
            VseException none = VseException.of(ErrorCode.DIRECTIVE_IMAGE_MISSING, "the script has no '#VSE' line")
                    .at(new SourcePosition(file, 1, 1).toString())
                    .next("add '#VSE image=NAME' before the first command; 'vse image ls' lists the names");
            if (!late.isEmpty()) {
                none.fact(
                        "ignored",
                        late.stream().limit(10).map(SourcePosition::toString).collect(Collectors.joining(", "))
                                + ": after the first command");
            }
            throw none;
        }
    }
}
