package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;

/** What is refused at submission is told with its place, and has started nothing. */
@Tag("system")
class RefusalSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        try {
            assertThat(Objects.requireNonNull(
                            site.state().resolve("jobs").toFile().list()))
                    .isEmpty();
            assertThat(site.state().resolve("local.next")).doesNotExist();
        } finally {
            site.close();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
                    image=debian-12 vcpu=2              | 2:22 | DIRECTIVE_UNKNOWN_KEY  | did you mean 'vcpus'
                    image=debian-12 vcpus=1 vcpus=2     | 2:36 | DIRECTIVE_DUPLICATE    | 2:28
                    image=debian-12 memory=2G           | 2:29 | DIRECTIVE_BAD_VALUE    | did you mean '2GiB'
                    image=debian-12 vcpus=100000        | 2:28 | DIRECTIVE_OUT_OF_RANGE | 1 to 1024
                    image=debian-12 network=user share=nfs | 2:41 | DIRECTIVE_CONFLICT  | 2:30
                    image=debian-12 network=user vms-per-node=2 | 2:48 | DIRECTIVE_CONFLICT | 2:30
                    vcpus=1                             | 2:   | DIRECTIVE_IMAGE_MISSING | image=
                    image                               | 2:6  | DIRECTIVE_SYNTAX       | image
                    image=no-such-image                 | no-such-image | IMAGE_UNKNOWN | vse image ls
                    image=debian-12 vcpus=512           | 512  | JOB_TOO_LARGE          | cores
                    """)
    void directives(String directives, String place, String code, String more) {
        Desk alice = site.desk(site.alice());
        alice.script("bad.sh", "#!/bin/bash\n#VSE " + directives + "\nhostname\n");
        Finished run = alice.vse("run", "bad.sh").expect(125);
        assertThat(run.err()).contains("[" + code + "]", place, more);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void scriptsThatAreNone() {
        Desk alice = site.desk(site.alice());
        assertThat(alice.vse("run", "missing.sh").err()).contains("[SCRIPT_UNREADABLE]", "missing.sh");
        alice.script("plain.sh", "#!/bin/bash\nhostname\n");
        assertThat(alice.vse("run", "plain.sh").err()).contains("[DIRECTIVE_IMAGE_MISSING]");
        assertThat(alice.vse("run").expect(2).err()).contains("[USAGE]");
    }

    @Test
    void rootIsNeverExported() {
        Desk root = site.root();
        root.script("share.sh", "#!/bin/bash\n#VSE image=debian-12 share=nfs\nhostname\n");
        assertThat(root.vse("run", "share.sh").expect(125).err()).contains("[SHARE_ROOT]", "share.sh:2:");
    }

    @Test
    void whatAHostileClientSends() {
        Account alice = site.alice();
        Desk bob = site.desk(site.bob());
        assertThat(Files.isDirectory(alice.home())).isTrue();
        for (String cwd : new String[] {alice.home().toString(), "/root", "/", "/etc", "/no/such"}) {
            assertThat(submit(bob, cwd, "null"))
                    .startsWith("HTTP/1.1 400")
                    .contains("SHARE_UNSUPPORTED")
                    .contains(cwd);
        }
        assertThat(submit(bob, "/home/../root", "null")).startsWith("HTTP/1.1 400");
        assertThat(submit(bob, bob.account().home().toString(), "\"" + alice.name() + "\""))
                .startsWith("HTTP/1.1 403")
                .contains("NOT_PERMITTED");
        assertThat(submit(bob, bob.account().home().toString(), "\"root\"")).startsWith("HTTP/1.1 403");
        assertThat(bob.raw("POST", "/v1/jobs", "not json").out()).startsWith("HTTP/1.1 400");
        assertThat(bob.raw("GET", "/v1/../v1/down", "").out()).startsWith("HTTP/1.1 400");
        assertThat(bob.raw("POST", "/v1/down", "{}").out()).startsWith("HTTP/1.1 403");
    }

    private static String submit(Desk desk, String cwd, String user) {
        String script = "#!/bin/bash\\n#VSE image=debian-12\\nid\\n";
        return desk.raw(
                        "POST",
                        "/v1/jobs",
                        "{\"script\":{\"name\":\"x.sh\",\"text\":\"" + script + "\"},\"args\":[],\"user\":" + user
                                + ",\"cwd\":\"" + cwd
                                + "\",\"environment\":{},\"interactive\":false,\"image\":null,\"terminal\":null}")
                .out();
    }
}
