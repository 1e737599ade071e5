package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ContactTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void aNodeIsLostWhenItsLeaseHasRunOutAndBackWhenSomebodyAnswers() {
        Contact contact = new Contact(Duration.ofSeconds(8));
        assertThat(contact.isLost(true, 0)).isFalse();
        assertThat(contact.isLost(false, 8 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 8 * SECOND + 1)).isTrue();
        assertThat(contact.isLost(true, 9 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 12 * SECOND)).isFalse();
    }

    @Test
    void whoNeverReachedAnybodyIsNotLost() {
        Contact contact = new Contact(Duration.ofSeconds(8));
        assertThat(contact.isLost(false, 0)).isFalse();
        assertThat(contact.isLost(false, 100 * SECOND)).isFalse();
    }
}
