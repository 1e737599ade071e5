CREATE TABLE event (
    id        TEXT    NOT NULL PRIMARY KEY,
    kind      TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    cluster   TEXT    NOT NULL,
    scheduler TEXT    NOT NULL,
    job       TEXT    NOT NULL,
    attempt   INTEGER NOT NULL CHECK (attempt >= 1)
) WITHOUT ROWID;

CREATE TABLE vm_run (
    opened       TEXT    NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster      TEXT    NOT NULL,
    scheduler    TEXT    NOT NULL,
    job          TEXT    NOT NULL,
    attempt      INTEGER NOT NULL CHECK (attempt >= 1),
    user_name    TEXT    NOT NULL,
    uid          INTEGER NOT NULL,
    queue        TEXT,
    vm           TEXT    NOT NULL,
    vm_index     INTEGER NOT NULL,
    node         TEXT    NOT NULL,
    cores        TEXT    NOT NULL,
    vcpus        INTEGER NOT NULL CHECK (vcpus >= 1),
    memory_bytes INTEGER NOT NULL,
    image        TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    accelerator  TEXT    NOT NULL,
    started      INTEGER NOT NULL
);
CREATE INDEX vm_run_started ON vm_run (started);
CREATE INDEX vm_run_job ON vm_run (job);

CREATE TABLE vm_end (
    opened            TEXT    NOT NULL PRIMARY KEY,
    closed            TEXT    NOT NULL REFERENCES event (id),
    ended             INTEGER NOT NULL,
    why               TEXT    NOT NULL,
    cpu_nanos         INTEGER,
    peak_memory_bytes INTEGER
) WITHOUT ROWID;

CREATE TABLE job_outcome (
    event     TEXT    NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster   TEXT    NOT NULL,
    scheduler TEXT    NOT NULL,
    job       TEXT    NOT NULL,
    attempt   INTEGER NOT NULL CHECK (attempt >= 1),
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    user_name TEXT    NOT NULL,
    uid       INTEGER NOT NULL,
    queue     TEXT,
    code      TEXT,
    exit_code INTEGER
);
CREATE INDEX job_outcome_job ON job_outcome (job);

CREATE TABLE log_position (
    log     TEXT    NOT NULL PRIMARY KEY,
    applied INTEGER NOT NULL
) WITHOUT ROWID;
