package org.vse.test.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.vse.job.daemon.ConfigKeys;

/** docs/configuration.md has every key with its default, and no other. */
class ConfigurationDocumentTest {
    @Test
    void everyKeyWithItsDefaultAndNoOther() throws Exception {
        Map<String, String> documented = new LinkedHashMap<>();
        Pattern row = Pattern.compile("\\| `([a-z-]+)` \\| ([^|]+) \\| [^|]+ \\|");
        for (String line : Files.readAllLines(Path.of("../docs/configuration.md"))) {
            Matcher matcher = row.matcher(line);
            if (matcher.matches()) {
                documented.put(matcher.group(1), matcher.group(2));
            }
        }
        assertThat(documented).isEqualTo(ConfigKeys.defaults());
    }
}
