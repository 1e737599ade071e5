-- The database of a ledger of version 0.1.0, as sqlite3's .dump writes it.
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);
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

INSERT INTO event VALUES ('11111111-0000-4000-8000-000000000001', 'VM_OPENED', 1795248000123456, 'hpc1', 'local', '7', 1);
INSERT INTO event VALUES ('11111111-0000-4000-8000-000000000002', 'VM_CLOSED', 1795248060123456, 'hpc1', 'local', '7', 1);
INSERT INTO event VALUES ('11111111-0000-4000-8000-000000000003', 'VM_OPENED', 1795248010123456, 'hpc1', 'local', '8', 1);
INSERT INTO event VALUES ('11111111-0000-4000-8000-000000000004', 'JOB_REFUSED', 1795248020123456, 'hpc1', 'local', '9', 1);
INSERT INTO vm_run VALUES ('11111111-0000-4000-8000-000000000001', 'hpc1', 'local', '7', 1, 'alice', 1000, 'batch', 'vse-7-0', 0, 'n1', '3,3', 2, 536870912, 'debian-12', 'sha256:abababababababababababababababababababababababababababababababab', 'TCG', 1795248000123456);
INSERT INTO vm_run VALUES ('11111111-0000-4000-8000-000000000003', 'hpc1', 'local', '8', 1, 'alice', 1000, NULL, 'vse-8-0', 0, 'n1', '', 2, 536870912, 'debian-12', 'sha256:abababababababababababababababababababababababababababababababab', 'KVM', 1795248010123456);
INSERT INTO vm_end VALUES ('11111111-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000002', 1795248060123456, 'FINISHED', 5000000000, 314572800);
INSERT INTO job_outcome VALUES ('11111111-0000-4000-8000-000000000004', 'hpc1', 'local', '9', 1, 1795248020123456, 'REFUSED', 'alice', 1000, 'batch', 'IMAGE_UNKNOWN', NULL);
INSERT INTO log_position VALUES ('11111111-0000-4000-8000-0000000000ff', 4096);
