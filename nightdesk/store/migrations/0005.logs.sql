-- Logs: which files are loaded how far, their lines, and what stays of them.

-- Files of logs, known by how they begin (the SHA-256 of their first bytes, uncompressed), so that one that is renamed or
-- compressed is the same file. "offset" counts the uncompressed bytes that are loaded; `last_at` is the time of the last line
-- that had one. `stored_bytes` and `modified_ns` are the file's own when it was read to its end: while they stay, so does it.
CREATE TABLE log_files (
    log_file_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    path text NOT NULL,
    head_bytes int NOT NULL CHECK (head_bytes BETWEEN 1 AND 1024),
    head_sha256 text NOT NULL UNIQUE,
    "offset" int8 NOT NULL DEFAULT 0,
    lines int8 NOT NULL DEFAULT 0,
    unparsed int8 NOT NULL DEFAULT 0,
    last_at timestamptz,
    stored_bytes int8,
    modified_ns int8,
    seen_at timestamptz NOT NULL
);

CREATE INDEX log_files_short ON log_files (head_bytes) WHERE head_bytes < 1024;

-- The lines themselves, for some weeks. `event` is '' where a line has no constant name; only errors have a fingerprint.
CREATE TABLE log_events (
    log_event_id int8 GENERATED ALWAYS AS IDENTITY,
    log_file_id int8 NOT NULL,
    "offset" int8 NOT NULL,
    time timestamptz NOT NULL,
    service text NOT NULL,
    level text NOT NULL,
    event text NOT NULL,
    message text NOT NULL,
    fingerprint text,
    fields jsonb NOT NULL,
    PRIMARY KEY (log_file_id, "offset")
);

CREATE INDEX log_events_time ON log_events USING brin (time) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX log_events_fingerprint ON log_events (fingerprint, time) WHERE fingerprint IS NOT NULL;

-- What stays of them for ever. A day is the UTC day of a line's own time.
CREATE TABLE log_counts (
    day date NOT NULL,
    service text NOT NULL,
    level text NOT NULL,
    event text NOT NULL,
    lines int8 NOT NULL,
    PRIMARY KEY (day, service, level, event)
) WITH (fillfactor = 50);

-- Errors that are alike: `template` is what they share, `sample` one of them, without credentials.
CREATE TABLE log_errors (
    day date NOT NULL,
    fingerprint text NOT NULL,
    service text NOT NULL,
    level text NOT NULL,
    event text NOT NULL,
    template text NOT NULL,
    sample text NOT NULL,
    lines int8 NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (day, fingerprint)
) WITH (fillfactor = 50);

CREATE INDEX log_errors_fingerprint ON log_errors (fingerprint, day);

-- Lines that could not be understood, by why; `samples` are some of them. Their day is that of the line before.
CREATE TABLE log_unparsed (
    day date NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    lines int8 NOT NULL,
    samples jsonb NOT NULL,
    PRIMARY KEY (day, source, reason)
) WITH (fillfactor = 50);

-- When each service was heard first and last, by its lines' own times.
CREATE TABLE log_services (
    source text NOT NULL,
    service text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (source, service)
) WITH (fillfactor = 50);

-- What some events stand for, as config/logs.yaml said when it was last read.
CREATE TABLE log_meanings (
    event text NOT NULL CHECK (event <> ''),
    meaning text NOT NULL CHECK (meaning IN ('fetch_succeeded', 'fetch_failed', 'reconnect', 'restart')),
    PRIMARY KEY (event, meaning)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON log_files, log_events, log_meanings TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE ON log_counts, log_errors, log_unparsed, log_services TO nightdesk_writer;
GRANT SELECT ON log_files, log_events, log_counts, log_errors, log_unparsed, log_services, log_meanings
    TO nightdesk_reader;
