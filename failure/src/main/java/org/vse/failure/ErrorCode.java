package org.vse.failure;

/**
 * Every error a person may see, with whose error it is. The name is stable across releases: scripts and runbooks refer to
 * it. Each code has an entry in {@code docs/runbook.md}; a test compares the two.
 */
public enum ErrorCode {
    // What the user wrote
    USAGE(Kind.USER),
    SCRIPT_UNREADABLE(Kind.USER),
    DIRECTIVE_SYNTAX(Kind.USER),
    DIRECTIVE_UNKNOWN_KEY(Kind.USER),
    DIRECTIVE_DUPLICATE(Kind.USER),
    DIRECTIVE_BAD_VALUE(Kind.USER),
    DIRECTIVE_OUT_OF_RANGE(Kind.USER),
    DIRECTIVE_CONFLICT(Kind.USER),
    DIRECTIVE_IMAGE_MISSING(Kind.USER),
    DESCRIPTION_INVALID(Kind.USER),
    POLICY_QUEUE_DENIED(Kind.USER),
    POLICY_USER_DENIED(Kind.USER),
    POLICY_RESERVED(Kind.USER),
    POLICY_IMAGE_DENIED(Kind.USER),
    POLICY_LIMIT(Kind.USER),
    USER_UNKNOWN(Kind.USER),
    IMAGE_UNKNOWN(Kind.USER),
    IMAGE_REFUSED(Kind.USER),
    IMAGE_EXISTS(Kind.USER),
    IMAGE_IN_USE(Kind.USER),
    SHARE_ROOT(Kind.USER),
    SHARE_UNSUPPORTED(Kind.USER),
    JOB_TOO_LARGE(Kind.USER),
    OUTPUT_LIMIT(Kind.USER),
    JOB_UNKNOWN(Kind.USER),
    JOB_STATE(Kind.USER),
    JOB_CANCELLED(Kind.USER),
    NOT_PERMITTED(Kind.USER),
    RECIPE_INVALID(Kind.USER),
    DIFFERENCE_FAILED(Kind.USER),
    CONFIG_INVALID(Kind.SITE),
    POLICY_INVALID(Kind.SITE),

    // What the node lacks
    PACKAGE_MISSING(Kind.SITE),
    COMMAND_MISSING(Kind.SITE),
    COMMAND_FAILED(Kind.SITE),
    COMMAND_TIMEOUT(Kind.SITE),
    IMAGE_CORRUPT(Kind.SITE),
    IMAGE_BUILD_FAILED(Kind.SITE),
    IMAGE_SOURCE_FAILED(Kind.SITE),
    DAEMON_UNREACHABLE(Kind.SITE),
    DAEMON_START_FAILED(Kind.SITE),
    LIBVIRT_FAILED(Kind.SITE),
    LIBVIRT_LOG_HANDLER(Kind.SITE),
    SHARE_FAILED(Kind.SITE),
    NETWORK_FAILED(Kind.SITE),
    CERTIFICATE_INVALID(Kind.SITE),
    PEER_UNREACHABLE(Kind.SITE),
    NODE_LOST(Kind.SITE),
    BOOT_TIMEOUT(Kind.SITE),
    GUEST_UNRESPONSIVE(Kind.SITE),
    GUEST_PROTOCOL(Kind.SITE),
    GUEST_SETUP_FAILED(Kind.SITE),
    PLUG_IN_FAILED(Kind.SITE),
    GUEST_DIED(Kind.SITE),
    MACHINE_MEMORY(Kind.SITE),
    CGROUP_FAILED(Kind.SITE),
    STORAGE_FAILED(Kind.SITE),
    CHECKPOINT_FAILED(Kind.SITE),
    CHECKPOINT_INVALID(Kind.USER),
    JOURNAL_CORRUPT(Kind.SITE),
    LEDGER_FAILED(Kind.SITE),

    // What there is not enough of
    UIDS_BUSY(Kind.CAPACITY),
    DAEMON_BUSY(Kind.CAPACITY),
    DISK_FULL(Kind.CAPACITY),
    STEP_INTERRUPTED(Kind.CAPACITY),

    // What we did wrong
    ILLEGAL_TRANSITION(Kind.INTERNAL),
    NOT_SUPPORTED(Kind.INTERNAL),
    INTERNAL(Kind.INTERNAL);

    private final Kind kind;

    ErrorCode(Kind kind) {
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
