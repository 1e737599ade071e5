package org.vse.provisioner.guest;

import java.time.Duration;
import org.vse.failure.VseException;

/** The way to one guest's agent. Implementations keep requests and replies in step; what a reply says is not their concern. */
@FunctionalInterface
public interface AgentTransport {
    /**
     * Sends one request and returns its reply; both are single JSON texts.
     *
     * @param timeout longest time to block
     * @throws VseException GUEST_UNRESPONSIVE when there is no reply in time or no agent yet (then possibly at once),
     *     GUEST_DIED when the machine is gone, GUEST_PROTOCOL when the reply is oversized or not text
     */
    String request(String json, Duration timeout);
}
