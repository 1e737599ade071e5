package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;

/** The same where /bin/sh is bash, as in the Red Hat family. */
@Tag("system")
class GuestJobBashSystemTest extends GuestJobSystemTest {
    @Override
    void prepare(PlainGuest guest) {
        guest.sh("ln -sfn bash /bin/sh");
        assertThat(guest.sh("echo $BASH_VERSION")).isNotBlank();
    }
}
