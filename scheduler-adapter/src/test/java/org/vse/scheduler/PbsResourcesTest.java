package org.vse.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.vse.failure.ErrorCode.DIRECTIVE_BAD_VALUE;
import static org.vse.failure.ErrorCode.DIRECTIVE_CONFLICT;
import static org.vse.failure.ErrorCode.DIRECTIVE_DUPLICATE;
import static org.vse.failure.ErrorCode.DIRECTIVE_OUT_OF_RANGE;
import static org.vse.failure.ErrorCode.DIRECTIVE_SYNTAX;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.JobScript;
import org.vse.scheduler.ResourceRequest.Resource;

class PbsResourcesTest {
    private static ResourceRequest read(String text) {
        return PbsResources.read(JobScript.parse("job.sh", text));
    }

    @Test
    void theClassicalHeader() {
        ResourceRequest request = read("""
                #!/bin/bash
                #PBS -N blast -q batch -j oe
                #VSE image=a
                #PBS -l nodes=2:ppn=4,walltime=01:02:03
                #PBS -l mem=3gb
                ./blast
                #PBS -l nodes=9
                """);
        assertThat(request)
                .isEqualTo(new ResourceRequest(
                        2,
                        OptionalInt.of(4),
                        OptionalLong.of(3L << 30),
                        Optional.of(Duration.ofSeconds(3723)),
                        Optional.of("blast"),
                        Map.of(
                                Resource.NAME, new SourcePosition("job.sh", 2, 9),
                                Resource.NODES, new SourcePosition("job.sh", 4, 15),
                                Resource.CORES, new SourcePosition("job.sh", 4, 21),
                                Resource.WALLTIME, new SourcePosition("job.sh", 4, 32),
                                Resource.MEMORY, new SourcePosition("job.sh", 5, 13))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            quoteCharacter = '`',
            value = {
                // options                                 | nodes | cores | memory
                "-V                                        | 1     | -     | -",
                "-l nodes=3                                | 3     | -     | -",
                "-l nodes=3:ppn=2:bigmem                   | 3     | 2     | -",
                "-l nodes=1,ncpus=4                        | 1     | 4     | -",
                "-lncpus=4                                 | 1     | 4     | -",
                "-l \"ncpus=4\"                            | 1     | 4     | -",
                "-l select=2                               | 2     | 1     | -",
                "-l select=2:ncpus=3:mem=1gb:mpiprocs=3    | 2     | 3     | 2147483648",
                "-l place=scatter -l select=1:host=n1      | 1     | 1     | -",
                "-l mem=512MB                              | 1     | -     | 536870912",
                "-l mem=100                                | 1     | -     | 100",
                "-l mem=1kw                                | 1     | -     | 8192",
                "-l walltime=10,pmem=x,feature=a           | 1     | -     | -",
                "-v A=\"x -l nodes=4\" -W depend=afterok:1 | 1     | -     | -",
                "-o /a/b # -l nodes=4                      | 1     | -     | -",
                "-M bob's -l ncpus=2                       | 1     | 2     | -",
            })
    void whatIsReadAndWhatIsPassedOver(String options, int nodes, Integer cores, Long memory) {
        ResourceRequest request = read("#PBS " + options + "\n");
        assertThat(request.nodes()).isEqualTo(nodes);
        assertThat(request.coresPerNode().stream().boxed().findFirst()).isEqualTo(Optional.ofNullable(cores));
        assertThat(request.memoryBytes().stream().boxed().findFirst()).isEqualTo(Optional.ofNullable(memory));
    }

    @ParameterizedTest
    @CsvSource({"01:00:00,3600", "1:2:3,3723", "90:00,5400", "00:90:00,5400", "45,45", "100:00:00,360000"})
    void walltimes(String text, long seconds) {
        assertThat(read("#PBS -l walltime=" + text).walltime()).contains(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "#PBSX -l nodes=x",
                "##PBS -l nodes=x",
                " #PBS -l nodes=x",
                "#pbs -l nodes=x",
                "#PBS",
                "#SBATCH -N x"
            })
    void otherLinesAreNotRead(String text) {
        assertThat(read(text))
                .isEqualTo(new ResourceRequest(
                        1, OptionalInt.empty(), OptionalLong.empty(), Optional.empty(), Optional.empty(), Map.of()));
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                arguments("#PBS -l", DIRECTIVE_SYNTAX, "1:6", "without a value"),
                arguments("#PBS -V -N", DIRECTIVE_SYNTAX, "1:9", "without a value"),
                arguments("#PBS -l nodes", DIRECTIVE_BAD_VALUE, "1:9", "write 'nodes=VALUE'"),
                arguments("#PBS -l nodes=", DIRECTIVE_BAD_VALUE, "1:9", "'nodes' has no value"),
                arguments("#PBS -l nodes=two", DIRECTIVE_BAD_VALUE, "1:15", "names of nodes are not supported"),
                arguments("#PBS -l nodes=1:ppn=", DIRECTIVE_BAD_VALUE, "1:17", "'ppn' has no value"),
                arguments("#PBS -l nodes=1:ppn=x", DIRECTIVE_BAD_VALUE, "1:21", "'x' is not a whole number"),
                arguments("#PBS -l nodes=0", DIRECTIVE_OUT_OF_RANGE, "1:15", "1 to 1000000"),
                arguments("#PBS -l ncpus=99999999999999999999999", DIRECTIVE_OUT_OF_RANGE, "1:15", "1 to 1000000"),
                arguments("#PBS -l nodes=1:ppn=2+2:ppn=1", DIRECTIVE_BAD_VALUE, "1:22", "nodes of different sizes"),
                arguments("#PBS -l select=1:ncpus=2:ncpus=3", DIRECTIVE_DUPLICATE, "1:32", "'2' at job.sh:1:24"),
                arguments("#PBS -l nodes=1\n#PBS -l nodes=1", DIRECTIVE_DUPLICATE, "2:15", "'1' at job.sh:1:15"),
                arguments("#PBS -N a\n#PBS -N b", DIRECTIVE_DUPLICATE, "2:9", "'a' at job.sh:1:9"),
                arguments("#PBS -N grün", DIRECTIVE_BAD_VALUE, "1:9", "visible ASCII"),
                arguments("#PBS -l select=1,nodes=1", DIRECTIVE_CONFLICT, "1:24", "'1' at job.sh:1:16"),
                arguments("#PBS -l select=1 -l ncpus=1", DIRECTIVE_CONFLICT, "1:27", "say two things"),
                arguments("#PBS -l nodes=1:ppn=2,ncpus=4", DIRECTIVE_CONFLICT, "1:29", "say two things"),
                arguments("#PBS -l nodes=2 -l ncpus=4", DIRECTIVE_CONFLICT, "1:26", "say two things"),
                arguments("#PBS -l mem=2GiB", DIRECTIVE_BAD_VALUE, "1:13", "write for example '2gb'"),
                arguments("#PBS -l mem=0", DIRECTIVE_OUT_OF_RANGE, "1:13", "out of range"),
                arguments("#PBS -l mem=9999999999pb", DIRECTIVE_OUT_OF_RANGE, "1:13", "out of range"),
                arguments("#PBS -l walltime=1h", DIRECTIVE_BAD_VALUE, "1:18", "HH:MM:SS"),
                arguments("#PBS -l walltime=1:2:3:4", DIRECTIVE_BAD_VALUE, "1:18", "HH:MM:SS"),
                arguments("#PBS -l walltime=-1", DIRECTIVE_BAD_VALUE, "1:18", "HH:MM:SS"),
                arguments("#PBS -l walltime=00:00:00", DIRECTIVE_OUT_OF_RANGE, "1:18", "no time"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void aMalformedValueOfWhatIsReadIsAnErrorWithItsPlace(String text, ErrorCode code, String place, String told) {
        VseException error = catchThrowableOfType(VseException.class, () -> read(text));
        assertThat(error).as(text).isNotNull();
        assertThat(error.code()).as(error.render()).isEqualTo(code);
        assertThat(error.where()).isEqualTo("job.sh:" + place);
        assertThat(error.render()).contains(told).contains("line");
        assertThat(error.next()).isNotBlank();
    }

    @Property(seed = "20261121", tries = 3000)
    void anyLineIsReadOrRefusedWithItsPlace(@ForAll("options") String options) {
        Throwable thrown = catchThrowable(() -> read("#PBS " + options));
        if (thrown != null) {
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.where()).matches("job\\.sh:1:[0-9]+"));
        }
    }

    @Provide
    Arbitrary<String> options() {
        return Arbitraries.of(
                        "-l",
                        "-N",
                        " ",
                        "nodes=",
                        "select=",
                        "ncpus=",
                        "ppn=",
                        "mem=",
                        "walltime=",
                        ":",
                        ",",
                        "+",
                        "=",
                        "1",
                        "0",
                        "2gb",
                        "99999999999",
                        "'",
                        "\"",
                        "#",
                        "\t",
                        "ä",
                        "x",
                        "-")
                .list()
                .ofMaxSize(12)
                .map(parts -> String.join("", parts));
    }
}
