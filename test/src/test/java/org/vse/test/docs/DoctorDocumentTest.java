package org.vse.test.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.vse.job.doctor.Doctor;

/** docs/doctor.md has every check in the order in which they are made, and no other. */
class DoctorDocumentTest {
    @Test
    void everyCheckAndNoOther() throws Exception {
        Pattern row = Pattern.compile("\\| `([a-z-]+)` \\| [^|]+ \\| [^|]+ \\|");
        List<String> documented = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("../docs/doctor.md"))) {
            Matcher matcher = row.matcher(line);
            if (matcher.matches()) {
                documented.add(matcher.group(1));
            }
        }
        assertThat(documented).isEqualTo(Doctor.checks());
    }
}
