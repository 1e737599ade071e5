package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.test.site.Examples;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;

/** What {@code vse doctor} says about the host of the tests, where jobs run. */
@Tag("system")
class DoctorSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.prepare("accelerator: auto\n");
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static Map<String, JsonObject> checks(Finished doctor) {
        Map<String, JsonObject> checks = new TreeMap<>();
        for (JsonObject check : Json.readObject(doctor.out()).objects("checks")) {
            checks.put(check.shown("check"), check);
        }
        return checks;
    }

    @Test
    void nothingRequiredIsMissingAndTheProbeIsMadeOnceAndShown() throws IOException {
        Map<String, JsonObject> before =
                checks(site.root().vse("doctor", "--format", "json").expect(0));
        assertThat(before.values()).noneMatch(check -> check.shown("state").equals("failed"));
        assertThat(before.get("packages").shown("found")).endsWith(" are installed");
        boolean hasKvm = Files.exists(Path.of("/dev/kvm"));
        assertThat(before.get("accelerator").shown("found"))
                .startsWith(hasKvm ? "not probed" : "tcg: there is no /dev/kvm");

        site.root().vse("run", Examples.script("hello.sh").toString()).expect(0);
        String log = Files.readString(site.state().resolve("vsed.out"));
        assertThat(log).containsOnlyOnce("machines run under ");
        String found = checks(site.root().vse("doctor", "--format", "json").expect(0))
                .get("accelerator")
                .shown("found");
        boolean kvm = log.contains("machines run under KVM");
        assertThat(found).startsWith(kvm ? "kvm: a guest booted under KVM in " : "tcg: ");
        String used =
                site.root().vse("report", "vms", "--format", "json").expect(0).out();
        assertThat(used).contains("\"accelerator\":\"" + (kvm ? "KVM" : "TCG") + "\"");
        Map<String, JsonObject> user =
                checks(site.desk(site.alice()).vse("doctor", "--format", "json").expect(0));
        assertThat(user.get("accelerator").shown("found"))
                .as("everybody may know")
                .isEqualTo(found);
        assertThat(user.get("log-handler").shown("found")).contains("only root can see it");
        assertThat(user.get("log-handler").shown("mend")).isEqualTo("as root: vse doctor");

        Finished second =
                site.root().vse("run", Examples.script("hello.sh").toString()).expect(0);
        assertThat(second.err()).doesNotContain("probe");
        assertThat(Files.readString(site.state().resolve("vsed.out"))).containsOnlyOnce("machines run under ");
    }

    @Test
    void aTableHasALineForEachCheckAndTheCommandBelow() {
        String table = site.root().vse("doctor").expect(0).out();
        assertThat(table).contains("\nqemu ", "\nkvm-device ", "\nclock ").doesNotContain("\u001b");
    }
}
