-- The source's own quality flag, and what each load did: so that every row tells which run brought it, and the sums of
-- the loads can be compared with the rows that are there.

CREATE TABLE loads (
    -- uuid5 of source, run and time of fetching: a load that is tried again is the same load
    load_id        uuid PRIMARY KEY,
    source         text NOT NULL CHECK (source <> ''),
    -- Airflow's run
    run_id         text NOT NULL,
    -- the interval that was asked for, [start, end)
    window_start   timestamptz NOT NULL,
    window_end     timestamptz NOT NULL,
    fetched_at     timestamptz NOT NULL,
    -- the records that the source gave, and what became of each
    fetched        integer NOT NULL,
    stored         integer NOT NULL,
    revised        integer NOT NULL,
    unchanged      integer NOT NULL,
    rejected       integer NOT NULL,
    -- of the rejected ones, those that an earlier load had kept already
    rejected_again integer NOT NULL,
    -- slots of the interval for which the source had no value at all
    empty          integer NOT NULL,
    -- of the stored and the revised ones, those that went into the outbox
    to_publish     integer NOT NULL,
    loaded_at      timestamptz NOT NULL,
    CHECK (fetched = stored + revised + unchanged + rejected),
    CHECK (rejected_again <= rejected),
    CHECK (to_publish <= stored + revised)
);

CREATE INDEX loads_by_time ON loads (loaded_at);

ALTER TABLE readings
    ADD COLUMN quality text,
    -- The load that brought this revision. No foreign key: the load's row is written after its readings, when it is
    -- known what became of them, in the same transaction.
    ADD COLUMN load_id uuid;

ALTER TABLE rejected_readings
    ADD COLUMN load_id uuid,
    ADD COLUMN fetched_at timestamptz;

-- What was there before loads were recorded counts as one load of each source.
INSERT INTO loads
SELECT gen_random_uuid(), source, 'before loads were recorded', min(since), max(until), max(until),
       sum(stored + revised + rejected), sum(stored), sum(revised), 0, sum(rejected), 0, 0, sum(to_publish), max(until)
FROM (
    SELECT source, min(observed_at) AS since, max(ingested_at) AS until, count(*) AS stored,
           sum(revision - 1) AS revised, 0 AS rejected, sum(CASE WHEN streamed THEN revision ELSE 0 END) AS to_publish
    FROM readings GROUP BY source
    UNION ALL
    SELECT source, min(ingested_at), max(ingested_at), 0, 0, count(*), 0 FROM rejected_readings GROUP BY source
) AS before
GROUP BY source;
