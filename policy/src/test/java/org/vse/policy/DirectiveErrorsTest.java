package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.vse.failure.ErrorCode.DIRECTIVE_BAD_VALUE;
import static org.vse.failure.ErrorCode.DIRECTIVE_CONFLICT;
import static org.vse.failure.ErrorCode.DIRECTIVE_DUPLICATE;
import static org.vse.failure.ErrorCode.DIRECTIVE_IMAGE_MISSING;
import static org.vse.failure.ErrorCode.DIRECTIVE_OUT_OF_RANGE;
import static org.vse.failure.ErrorCode.DIRECTIVE_SYNTAX;
import static org.vse.failure.ErrorCode.DIRECTIVE_UNKNOWN_KEY;
import static org.vse.failure.ErrorCode.SCRIPT_UNREADABLE;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;

/** Every mistake, its code, its place and what its author is told. */
class DirectiveErrorsTest {
    static Stream<Arguments> mistakes() {
        return Stream.of(
                // the form of the line
                arguments("#VSE", DIRECTIVE_SYNTAX, "1:1", "without a key"),
                arguments("#VSE \t ", DIRECTIVE_SYNTAX, "1:1", "without a key"),
                arguments("#VSE image", DIRECTIVE_SYNTAX, "1:6", "'image' has no '=' and no value"),
                arguments("#VSE image=a nodes", DIRECTIVE_SYNTAX, "1:14", "'nodes' has no '='"),
                arguments("#VSE image=", DIRECTIVE_SYNTAX, "1:12", "'image' has no value"),
                arguments("#VSE image= vcpus=2", DIRECTIVE_SYNTAX, "1:12", "'image' has no value"),
                arguments("#VSE image= a", DIRECTIVE_SYNTAX, "1:12", "a blank after '='"),
                arguments("#VSE image =a", DIRECTIVE_SYNTAX, "1:11", "a blank before '='"),
                arguments("#VSE image = a", DIRECTIVE_SYNTAX, "1:11", "a blank before '='"),
                arguments("#VSE =a", DIRECTIVE_SYNTAX, "1:6", "'=' without a key"),
                arguments("#VSE image=\"a\"", DIRECTIVE_SYNTAX, "1:12", "without quotes"),
                arguments("#VSE image='a b'", DIRECTIVE_SYNTAX, "1:12", "without quotes"),
                arguments("#VSE image=`id`", DIRECTIVE_SYNTAX, "1:12", "without quotes"),
                arguments("#VSE image=a # why", DIRECTIVE_SYNTAX, "1:14", "comments on lines of their own"),
                arguments("#VSE image=a#b", DIRECTIVE_SYNTAX, "1:13", "'#' in a directive"),
                arguments("#VSE image=a \\", DIRECTIVE_SYNTAX, "1:14", "another '#VSE' line"),
                arguments("#VSE image=a,vcpus=2", DIRECTIVE_SYNTAX, "1:13", "separate them by blanks"),
                arguments("#VSE image=débian", DIRECTIVE_SYNTAX, "1:13", "U+00E9"),
                arguments("#VSE image=a\ud83d\ude00", DIRECTIVE_SYNTAX, "1:13", "U+1F600"),
                arguments("#VSE\u00a0image=a", DIRECTIVE_SYNTAX, "1:5", "U+00A0"),
                arguments("#VSE image=a\u001b[2J", DIRECTIVE_SYNTAX, "1:13", "U+001B"),
                arguments("#VSE image=" + "a".repeat(4085), DIRECTIVE_BAD_VALUE, "1:12", "at most 64"),
                arguments("#VSE image=" + "a".repeat(4086), DIRECTIVE_SYNTAX, "1:4097", "4097 characters"),
                // nearly ours
                arguments("#VSEimage=a", DIRECTIVE_SYNTAX, "1:1", "'##VSE ' not to"),
                arguments("#VSE: image=a", DIRECTIVE_SYNTAX, "1:1", "begin the line with '#VSE '"),
                arguments("# VSE image=a", DIRECTIVE_SYNTAX, "1:1", "begin the line"),
                arguments("#vse vcpus = 2", DIRECTIVE_SYNTAX, "1:1", "begin the line"),
                arguments("#!/bin/sh\n  #VSE image=a", DIRECTIVE_SYNTAX, "2:3", "begin the line"),
                // the form of the file
                arguments("#!/bin/sh\r\n#VSE image=a\r\n", DIRECTIVE_SYNTAX, "1:10", "as on Windows"),
                arguments("#!/bin/sh\n#VSE image=a\r\n", DIRECTIVE_SYNTAX, "2:13", "dos2unix"),
                arguments("#!/bin/sh\r#VSE image=a\r", DIRECTIVE_SYNTAX, "1:11", "carriage return alone"),
                arguments("#VSE image=a\r#VSE vcpus=2\r", DIRECTIVE_SYNTAX, "1:13", "U+000D"),
                arguments("\ufeff#!/bin/sh\n#VSE image=a", DIRECTIVE_SYNTAX, "1:1", "byte order mark"),
                arguments("\ufeff#VSE image=a", DIRECTIVE_SYNTAX, "1:2", "begin the line"),
                arguments("#!/bin/sh\n#VSE image=a\0", SCRIPT_UNREADABLE, "2:13", "NUL"),
                arguments("#\0!\0/\0b\0\n", SCRIPT_UNREADABLE, "1:2", "NUL"),
                // keys
                arguments("#VSE imgae=a", DIRECTIVE_UNKNOWN_KEY, "1:6", "did you mean 'image'?"),
                arguments("#VSE Image=a", DIRECTIVE_UNKNOWN_KEY, "1:6", "did you mean 'image'?"),
                arguments("#VSE image=a mem=2GiB", DIRECTIVE_UNKNOWN_KEY, "1:14", "did you mean 'memory'?"),
                arguments("#VSE image=a cpus=2", DIRECTIVE_UNKNOWN_KEY, "1:14", "did you mean 'vcpus'?"),
                arguments("#VSE vms_per_node=2", DIRECTIVE_UNKNOWN_KEY, "1:6", "did you mean 'vms-per-node'?"),
                arguments("#VSE walltime=2", DIRECTIVE_UNKNOWN_KEY, "1:6", "use one of the known keys"),
                arguments("#VSE image=a\n#VSE image=a", DIRECTIVE_DUPLICATE, "2:12", "'a' at job.sh:1:12"),
                arguments("#VSE vcpus=1 image=a vcpus=2", DIRECTIVE_DUPLICATE, "1:28", "'1' at job.sh:1:12"),
                // images
                arguments("#VSE image=/data/a.qcow2", DIRECTIVE_BAD_VALUE, "1:12", "vse image import /data/a.qcow2"),
                arguments("#VSE image=./a.qcow2", DIRECTIVE_BAD_VALUE, "1:12", "is a path"),
                arguments("#VSE image=../../etc", DIRECTIVE_BAD_VALUE, "1:12", "is a path"),
                arguments("#VSE image=Debian", DIRECTIVE_BAD_VALUE, "1:12", "did you mean 'debian'?"),
                arguments("#VSE image=..", DIRECTIVE_BAD_VALUE, "1:12", "beginning with a letter or digit"),
                arguments("#VSE image=-rf", DIRECTIVE_BAD_VALUE, "1:12", "beginning with a letter or digit"),
                arguments("#VSE image=a:", DIRECTIVE_BAD_VALUE, "1:12", "name:tag"),
                arguments("#VSE image=a:b:c", DIRECTIVE_BAD_VALUE, "1:12", "name:tag"),
                arguments("#VSE image=a=b", DIRECTIVE_BAD_VALUE, "1:12", "name:tag"),
                // numbers
                arguments("#VSE vcpus=two", DIRECTIVE_BAD_VALUE, "1:12", "not a whole number"),
                arguments("#VSE vcpus=1.5", DIRECTIVE_BAD_VALUE, "1:12", "not a whole number"),
                arguments("#VSE vcpus=0", DIRECTIVE_OUT_OF_RANGE, "1:12", "1 to 1024"),
                arguments("#VSE vcpus=1025", DIRECTIVE_OUT_OF_RANGE, "1:12", "1 to 1024"),
                arguments("#VSE vcpus=-1", DIRECTIVE_OUT_OF_RANGE, "1:12", "1 to 1024"),
                arguments("#VSE vcpus=99999999999999999999", DIRECTIVE_OUT_OF_RANGE, "1:12", "1 to 1024"),
                arguments("#VSE vms-per-node=257", DIRECTIVE_OUT_OF_RANGE, "1:19", "1 to 256"),
                // sizes
                arguments("#VSE memory=2G", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '2GiB'?"),
                arguments("#VSE memory=2gb", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '2GiB'?"),
                arguments("#VSE memory=2gib", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '2GiB'?"),
                arguments("#VSE memory=1.5GiB", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '1536MiB'?"),
                arguments("#VSE memory=536870912", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '512MiB'?"),
                arguments("#VSE memory=512", DIRECTIVE_BAD_VALUE, "1:13", "did you mean '512MiB'?"),
                arguments("#VSE memory=lots", DIRECTIVE_BAD_VALUE, "1:13", "such as '512MiB'"),
                arguments("#VSE memory=65535KiB", DIRECTIVE_OUT_OF_RANGE, "1:13", "64MiB to 16TiB"),
                arguments("#VSE memory=65537KiB", DIRECTIVE_OUT_OF_RANGE, "1:13", "round to '65MiB'"),
                arguments("#VSE memory=17TiB", DIRECTIVE_OUT_OF_RANGE, "1:13", "64MiB to 16TiB"),
                arguments("#VSE memory=9999999999999999999TiB", DIRECTIVE_OUT_OF_RANGE, "1:13", "64MiB to 16TiB"),
                arguments("#VSE disk=63MiB", DIRECTIVE_OUT_OF_RANGE, "1:11", "64MiB to 64TiB"),
                arguments("#VSE disk=65TiB", DIRECTIVE_OUT_OF_RANGE, "1:11", "64MiB to 64TiB"),
                // words
                arguments("#VSE share=nsf", DIRECTIVE_BAD_VALUE, "1:12", "did you mean 'nfs'?"),
                arguments("#VSE share=NFS", DIRECTIVE_BAD_VALUE, "1:12", "did you mean 'nfs'?"),
                arguments("#VSE network=bridge", DIRECTIVE_BAD_VALUE, "1:14", "allowed: job, user"),
                // what does not go together
                arguments("#VSE vcpus=2\n#VSE memory=1GiB", DIRECTIVE_IMAGE_MISSING, "1:12", "add '#VSE image=NAME'"),
                arguments(
                        "#VSE image=a network=user\n#VSE vms-per-node=2",
                        DIRECTIVE_CONFLICT,
                        "2:19",
                        "'network=user' at job.sh:1:22"),
                arguments(
                        "#VSE share=nfs\n#VSE image=a network=user",
                        DIRECTIVE_CONFLICT,
                        "2:22",
                        "'share=nfs' at job.sh:1:12"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isRefused(String text, ErrorCode code, String place, String told) {
        VseException error = refusal(text);
        assertThat(error.code()).as(error.render()).isEqualTo(code);
        assertThat(error.kind()).isEqualTo(Kind.USER);
        assertThat(error.where()).isEqualTo("job.sh:" + place);
        assertThat(error.render()).contains(told);
        assertThat(error.next()).isNotBlank();
        assertThat(error.render()).matches(r -> r.codePoints().noneMatch(c -> c < ' ' && c != '\n' && c != '\t'));
    }

    @Test
    void theBoundsThemselvesAreAccepted() {
        for (String good : new String[] {
            "vcpus=1",
            "vcpus=1024",
            "memory=64MiB",
            "memory=16TiB",
            "memory=65536KiB",
            "disk=64MiB",
            "disk=64TiB",
            "vms-per-node=256",
            "network=user vms-per-node=1",
            "network=user share=none",
            "share=9p",
            "vcpus=02"
        }) {
            JobScript.parse("job.sh", "#VSE image=a-b_c.d:e " + good).description();
        }
    }

    @Test
    void allMistakesAreTold() {
        VseException error = refusal("#VSE vcpus=0 imgae=a\n# a comment\n#VSE vcpu=3 network=user share=nfs\n");
        assertThat(error.where()).isEqualTo("job.sh:1:12");
        assertThat(error.facts().get("more")).isEqualTo("""
                        3 more problems:
                        job.sh:1:14: unknown key 'imgae'
                        job.sh:3:6: unknown key 'vcpu'
                        job.sh:3:32: 'share=nfs' contradicts 'network=user': NFS needs the job's own network""");
    }

    @Test
    void aHundredMistakesAreNotAllListed() {
        VseException error = refusal("#VSE x=1\n".repeat(100));
        assertThat(error.facts().get("more")).startsWith("99 more problems:").hasLineCount(12);
    }

    @Test
    void theCaretsAreUnderTheMistake() {
        assertThat(line("#VSE image=a\tvcpus=two")).isEqualTo("#VSE image=a\tvcpus=two\n            \t      ^^^");
        assertThat(line("   #VSE image=a")).isEqualTo("#VSE image=a\n^^^^");
        assertThat(line("#VSE image=a\u001b")).isEqualTo("#VSE image=a?\n            ^");
    }

    @Test
    void ofALongLineTheSurroundingsOfTheMistakeAreShown() {
        String[] lines = line("#VSE image=a " + " ".repeat(1000) + "vcpus=two" + " ".repeat(1000) + "disk=1GiB")
                .split("\n");
        assertThat(lines[0]).hasSizeLessThan(110).contains("vcpus=two");
        assertThat(lines[1].indexOf('^')).isEqualTo(lines[0].indexOf("two"));
    }

    private static String line(String text) {
        return String.valueOf(refusal(text).facts().get("line"));
    }

    private static VseException refusal(String text) {
        VseException error = catchThrowableOfType(
                VseException.class, () -> JobScript.parse("job.sh", text).description());
        assertThat(error).as(text).isNotNull();
        return error;
    }
}
