package org.vse.ledger;

import java.util.List;

/** By what a {@link UsageReport} sums. */
public enum Grouping {
    NODES("nodes", "r.node"),
    JOBS("jobs", "r.job, r.cluster, r.scheduler"),
    USERS("users", "r.user_name"),
    ACCOUNTS("accounts", "r.account"),
    IMAGES("images", "r.image, r.digest");

    private final String word;
    private final String columns;

    Grouping(String word, String columns) {
        this.word = word;
        this.columns = columns;
    }

    /** As commands and calls name it. */
    public String word() {
        return word;
    }

    /** Columns of {@code vm_run r}, between commas. */
    String columns() {
        return columns;
    }

    /** Titles of {@link #columns} and of what follows from them. */
    List<String> titles() {
        return switch (this) {
            case NODES -> List.of("node");
            case JOBS -> List.of("job", "cluster", "scheduler");
            case USERS -> List.of("user");
            case ACCOUNTS -> List.of("account");
            case IMAGES -> List.of("image", "digest");
        };
    }
}
