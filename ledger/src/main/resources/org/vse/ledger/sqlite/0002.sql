ALTER TABLE vm_run ADD COLUMN group_name TEXT;
ALTER TABLE vm_run ADD COLUMN account TEXT;
ALTER TABLE vm_run ADD COLUMN array_index INTEGER;
ALTER TABLE vm_run ADD COLUMN numa_nodes TEXT NOT NULL DEFAULT '';
ALTER TABLE vm_run ADD COLUMN core_count INTEGER NOT NULL DEFAULT 0;
-- The end that counts, a copy of its row in vm_end, so that a report reads one table only.
ALTER TABLE vm_run ADD COLUMN ended INTEGER;
ALTER TABLE vm_run ADD COLUMN cpu_nanos INTEGER;

ALTER TABLE vm_end ADD COLUMN bytes_in INTEGER;
ALTER TABLE vm_end ADD COLUMN bytes_out INTEGER;
ALTER TABLE vm_end ADD COLUMN evidence TEXT;

ALTER TABLE job_outcome ADD COLUMN group_name TEXT;
ALTER TABLE job_outcome ADD COLUMN account TEXT;
ALTER TABLE job_outcome ADD COLUMN array_index INTEGER;

UPDATE vm_run SET core_count = CASE cores WHEN '' THEN vcpus
    ELSE (SELECT COUNT(DISTINCT value) FROM json_each('[' || vm_run.cores || ']')) END;
UPDATE vm_run SET ended = e.ended, cpu_nanos = e.cpu_nanos FROM vm_end e WHERE e.opened = vm_run.opened;

DROP INDEX vm_run_job;
DROP INDEX vm_run_started;
-- The order in which machines are listed.
CREATE INDEX vm_run_started ON vm_run (started, vm, opened);
CREATE INDEX vm_run_digest ON vm_run (digest);
CREATE INDEX vm_run_open ON vm_run (node) WHERE ended IS NULL;
-- Each holds all that a sum by its first columns takes.
CREATE INDEX vm_run_job ON vm_run (job, cluster, scheduler, queue, user_name, started, ended, core_count, memory_bytes, cpu_nanos);
CREATE INDEX vm_run_user ON vm_run (user_name, queue, started, ended, core_count, memory_bytes, cpu_nanos);
CREATE INDEX vm_run_account ON vm_run (account, queue, started, ended, core_count, memory_bytes, cpu_nanos);
CREATE INDEX vm_run_node ON vm_run (node, queue, started, ended, core_count, memory_bytes, cpu_nanos);
CREATE INDEX vm_run_image ON vm_run (image, digest, queue, started, ended, core_count, memory_bytes, cpu_nanos);
CREATE INDEX job_outcome_at ON job_outcome (at);

CREATE TABLE job_mark (
    event     TEXT    NOT NULL PRIMARY KEY REFERENCES event (id),
    cluster   TEXT    NOT NULL,
    scheduler TEXT    NOT NULL,
    job       TEXT    NOT NULL,
    attempt   INTEGER NOT NULL CHECK (attempt >= 1),
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    node      TEXT    NOT NULL,
    body      TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX job_mark_at ON job_mark (at);

-- When a node's log was heard of last.
ALTER TABLE log_position ADD COLUMN node TEXT;
ALTER TABLE log_position ADD COLUMN heard INTEGER;

CREATE INDEX vm_end_closed ON vm_end (closed);
