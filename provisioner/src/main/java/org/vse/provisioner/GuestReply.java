package org.vse.provisioner;

/** Bounds of what a guest may answer; whatever exceeds them is the guest's fault and named so. */
public final class GuestReply {
    /** Largest reply of a guest agent in bytes of UTF-8. */
    public static final int MAX_BYTES = 4 << 20;

    private GuestReply() {}
}
