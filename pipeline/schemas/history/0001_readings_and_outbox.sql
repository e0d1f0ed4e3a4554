-- History of every reading, and the outbox in the same table: a row that is to be streamed waits there until the
-- broker has acknowledged its current revision. One table, so that no crash can come between "stored" and "to publish".

CREATE TABLE stations (
    station_id  text PRIMARY KEY,
    name        text NOT NULL,
    latitude    double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude   double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180)
);

CREATE TABLE readings (
    station_id         text NOT NULL CHECK (station_id <> ''),
    observed_at        timestamptz NOT NULL,
    source             text NOT NULL CHECK (source <> ''),
    origin             text NOT NULL CHECK (origin IN ('live', 'replay', 'synthetic', 'selftest')),
    -- uuid5 of the key: unique without an index of its own
    event_id           uuid NOT NULL,
    -- 1, and one more each time that the source gives other values for the same key
    revision           integer NOT NULL DEFAULT 1 CHECK (revision >= 1),
    temperature_c      double precision,
    humidity_pct       double precision,
    pressure_hpa       double precision,
    wind_speed_ms      double precision,
    -- when the values of this revision were fetched, and when they were stored
    fetched_at         timestamptz NOT NULL,
    ingested_at        timestamptz NOT NULL,
    -- true: fresh enough for the stream; false: history only
    streamed           boolean NOT NULL,
    -- the revision that the broker acknowledged last, and when
    published_revision integer,
    published_at       timestamptz,
    -- Its order serves "all readings of a station from last month".
    PRIMARY KEY (station_id, observed_at, source),
    CHECK ((published_revision IS NULL) = (published_at IS NULL)),
    CHECK (published_revision IS NULL OR published_revision BETWEEN 1 AND revision)
);

-- The outbox. Holds the waiting rows only, so it stays small however long the history grows.
CREATE INDEX readings_unpublished ON readings (observed_at, station_id, source)
    WHERE streamed AND published_revision IS DISTINCT FROM revision;

-- What a source gave that cannot be a reading, with the reason; kept for people to look at.
CREATE TABLE rejected_readings (
    -- uuid5 of all that follows but the time: the same bad record of a repeated fetch is stored once
    rejection_id uuid PRIMARY KEY,
    source       text NOT NULL,
    station_id   text NOT NULL,
    observed_at  timestamptz,
    reason       text NOT NULL,
    raw          text NOT NULL,
    ingested_at  timestamptz NOT NULL
);

CREATE INDEX rejected_readings_by_time ON rejected_readings (ingested_at);
