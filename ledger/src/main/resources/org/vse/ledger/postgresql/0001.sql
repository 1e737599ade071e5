CREATE TABLE event (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind      TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    cluster   TEXT    NOT NULL,
    scheduler TEXT    NOT NULL,
    job       TEXT    NOT NULL,
    attempt   INTEGER NOT NULL CHECK (attempt >= 1)
);

CREATE TABLE vm_run (
    opened       TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster      TEXT    NOT NULL,
    scheduler    TEXT    NOT NULL,
    job          TEXT COLLATE "C" NOT NULL,
    attempt      INTEGER NOT NULL CHECK (attempt >= 1),
    user_name    TEXT COLLATE "C" NOT NULL,
    uid          INTEGER NOT NULL,
    group_name   TEXT,
    queue        TEXT COLLATE "C",
    account      TEXT COLLATE "C",
    array_index  INTEGER,
    vm           TEXT COLLATE "C" NOT NULL,
    vm_index     INTEGER NOT NULL,
    node         TEXT COLLATE "C" NOT NULL,
    cores        TEXT    NOT NULL,
    core_count   INTEGER NOT NULL,
    numa_nodes   TEXT    NOT NULL DEFAULT '',
    vcpus        INTEGER NOT NULL CHECK (vcpus >= 1),
    memory_bytes BIGINT  NOT NULL,
    image        TEXT COLLATE "C" NOT NULL,
    digest       TEXT COLLATE "C" NOT NULL,
    accelerator  TEXT    NOT NULL,
    started      BIGINT  NOT NULL,
    -- The end that counts, a copy of its row in vm_end, so that a report reads one table only.
    ended        BIGINT,
    cpu_nanos    BIGINT
);
-- The order in which machines are listed.
CREATE INDEX vm_run_started ON vm_run (started, vm, opened);
CREATE INDEX vm_run_image ON vm_run (image);
CREATE INDEX vm_run_digest ON vm_run (digest);
CREATE INDEX vm_run_open ON vm_run (node) WHERE ended IS NULL;
CREATE INDEX vm_run_job ON vm_run (job);
CREATE INDEX vm_run_user ON vm_run (user_name);
CREATE INDEX vm_run_node ON vm_run (node, started);

CREATE TABLE vm_end (
    opened            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    closed            TEXT COLLATE "C" NOT NULL REFERENCES event (id),
    ended             BIGINT NOT NULL,
    why               TEXT   NOT NULL,
    cpu_nanos         BIGINT,
    peak_memory_bytes BIGINT,
    bytes_in          BIGINT,
    bytes_out         BIGINT,
    evidence          TEXT
);

CREATE TABLE job_outcome (
    event       TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster     TEXT    NOT NULL,
    scheduler   TEXT    NOT NULL,
    job         TEXT COLLATE "C" NOT NULL,
    attempt     INTEGER NOT NULL CHECK (attempt >= 1),
    at          BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    user_name   TEXT    NOT NULL,
    uid         INTEGER NOT NULL,
    group_name  TEXT,
    queue       TEXT,
    account     TEXT,
    array_index INTEGER,
    code        TEXT,
    exit_code   INTEGER
);
CREATE INDEX job_outcome_job ON job_outcome (job);
CREATE INDEX job_outcome_at ON job_outcome (at);

CREATE TABLE job_mark (
    event     TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster   TEXT    NOT NULL,
    scheduler TEXT    NOT NULL,
    job       TEXT    NOT NULL,
    attempt   INTEGER NOT NULL CHECK (attempt >= 1),
    at        BIGINT  NOT NULL,
    kind      TEXT    NOT NULL,
    node      TEXT COLLATE "C" NOT NULL,
    body      TEXT    NOT NULL
);
CREATE INDEX job_mark_at ON job_mark (at);

CREATE TABLE log_position (
    log     TEXT   NOT NULL PRIMARY KEY,
    applied BIGINT NOT NULL,
    -- When the log's node was heard of last.
    node    TEXT,
    heard   BIGINT
);

CREATE INDEX vm_end_closed ON vm_end (closed);
