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
        assertThat(contact.isLost(false, 6 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 8 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 8 * SECOND + 1)).isTrue();
        assertThat(contact.isLost(true, 9 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 12 * SECOND)).isFalse();
    }

    @Test
    void oneLookThatFailsAfterALongTimeIsNoProof() {
        Contact contact = new Contact(Duration.ofSeconds(8));
        assertThat(contact.isLost(true, 0)).isFalse();
        assertThat(contact.isLost(false, 1000 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 1002 * SECOND)).isFalse();
        assertThat(contact.isLost(false, 1004 * SECOND)).isTrue();
        contact.forget();
        for (int look = 0; look < 9; look++) {
            assertThat(contact.isLost(false, (2000 + look) * SECOND)).isFalse();
        }
    }

    @Test
    void whoNeverReachedAnybodyIsNotLost() {
        Contact contact = new Contact(Duration.ofSeconds(8));
        assertThat(contact.isLost(false, 0)).isFalse();
        assertThat(contact.isLost(false, 100 * SECOND)).isFalse();
    }
}
