package org.vse.job.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/** How a call is answered: exactly one of these, once. Methods block until the bytes are on their way. */
interface Reply {
    /** Answers with a JSON text. */
    void json(int status, Object value) throws IOException;

    /** Answers with status 200 and a body of unknown length. */
    Body stream(String contentType) throws IOException;

    /** Answers 101 and hands the connection over to a peer until one side closes. Closes the peer. */
    void handOver(ByteChannel peer) throws IOException;

    /** A body being written. */
    interface Body extends AutoCloseable {
        /** Writes and waits until the caller has room for more. */
        void write(ByteBuffer bytes) throws IOException;

        /** True once the caller has gone. */
        boolean isGone();

        /** Runs once the caller has gone, at once when it has already. */
        void onGone(Runnable action);

        /** Ends the body properly. Not closing it tells the caller that it was cut off. */
        @Override
        void close() throws IOException;
    }

    /** Nobody takes the answer any more: nobody's error. */
    final class CallerGone extends IOException {
        private static final long serialVersionUID = 1L;

        CallerGone(Throwable cause) {
            super("the caller has gone", cause);
        }
    }
}
