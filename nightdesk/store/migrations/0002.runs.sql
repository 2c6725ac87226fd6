-- Runs and what jobs keep: the schedule's rows, budgets of requests, completeness, archives.

-- Runs: what was to run, what became of it. A row is the truth; the queue only carries its number.
-- `job` is the schedule's name, `task` the job's file; `due_at` is when it may be queued (again).
CREATE TABLE runs (
    run_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    scheduled_for timestamptz NOT NULL,
    task text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('schedule', 'gap', 'request', 'hand')),
    chain text NOT NULL,
    after text[] NOT NULL DEFAULT '{}',
    args jsonb NOT NULL DEFAULT '{}',
    idempotency_key text UNIQUE,
    state text NOT NULL DEFAULT 'expected'
        CHECK (state IN ('expected', 'queued', 'running', 'succeeded', 'failed', 'missed', 'skipped')),
    reason text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL,
    grace_s float8 NOT NULL,
    catch_up text NOT NULL DEFAULT 'latest' CHECK (catch_up IN ('skip', 'latest', 'all')),
    max_age_s float8 NOT NULL,
    overlapped bool NOT NULL DEFAULT false,
    timeout_s float8 NOT NULL CHECK (timeout_s > 0),
    attempts_allowed int NOT NULL DEFAULT 1 CHECK (attempts_allowed > 0),
    backoff_s float8 NOT NULL DEFAULT 30,
    attempts int NOT NULL DEFAULT 0,
    worker text,
    created_at timestamptz NOT NULL DEFAULT now(),
    queued_at timestamptz,
    sent_at timestamptz,
    started_at timestamptz,
    beat_at timestamptz,
    finished_at timestamptz,
    progress jsonb,
    result jsonb,
    error text,
    log text,
    UNIQUE (job, scheduled_for)
);

CREATE INDEX runs_open ON runs (due_at) WHERE state IN ('expected', 'queued', 'running');
CREATE INDEX runs_time ON runs (scheduled_for);
CREATE INDEX runs_overlapped ON runs (job) WHERE overlapped;

-- How many runs ever reached each state, which counters can be made of whatever becomes of the rows.
CREATE TABLE run_totals (
    job text NOT NULL,
    state text NOT NULL,
    runs int8 NOT NULL,
    PRIMARY KEY (job, state)
) WITH (fillfactor = 50);

CREATE FUNCTION count_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' OR OLD.state <> NEW.state THEN
        INSERT INTO run_totals AS t (job, state, runs) VALUES (NEW.job, NEW.state, 1)
        ON CONFLICT (job, state) DO UPDATE SET runs = t.runs + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER runs_counted AFTER INSERT OR UPDATE OF state ON runs FOR EACH ROW EXECUTE FUNCTION count_run();

-- Up to when each job's runs are written down.
CREATE TABLE schedules (
    job text PRIMARY KEY,
    planned_until timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- What may still be asked of an exchange, shared by everyone who asks with one key.
CREATE TABLE rate_budgets (
    budget text PRIMARY KEY,
    available float8 NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    closed_until timestamptz NOT NULL DEFAULT '-infinity',
    spent int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- How a gap was filled and how good that is: `quality` is 'trades' (the exchange's own, one by one), 'aggregated' or 'bars'
-- (only its candles, in klines); `reason` says why it cannot be filled, or not yet.
ALTER TABLE gaps ADD COLUMN source text NOT NULL DEFAULT '';
ALTER TABLE gaps ADD COLUMN quality text NOT NULL DEFAULT '' CHECK (quality IN ('', 'trades', 'aggregated', 'bars'));
ALTER TABLE gaps ADD COLUMN reason text NOT NULL DEFAULT '';
ALTER TABLE gaps ADD COLUMN tries int NOT NULL DEFAULT 0;

CREATE INDEX gaps_opened ON gaps (opened_at) WHERE state IN ('open', 'filling');

ALTER TABLE klines ADD COLUMN source text NOT NULL DEFAULT 'stream';

-- What the last verification found for a symbol and a UTC day. A minute is complete when none of its ids is missing and its
-- bar equals the exchange's own.
CREATE TABLE completeness (
    symbol_id int NOT NULL,
    day date NOT NULL,
    minutes int NOT NULL,
    complete int NOT NULL,
    missing_ids int8 NOT NULL,
    differing int NOT NULL,
    unchecked int NOT NULL,
    percent float8 NOT NULL,
    detail jsonb NOT NULL DEFAULT '[]',
    verified_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol_id, day)
);

-- Days of ticks that are kept as files. `checksum` is of the rows, whatever their order, `file_sha256` of the file.
CREATE TABLE archives (
    tick_table text NOT NULL,
    day date NOT NULL,
    location text NOT NULL,
    rows int8 NOT NULL,
    bytes int8 NOT NULL,
    checksum text NOT NULL,
    file_sha256 text NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    dropped_at timestamptz,
    PRIMARY KEY (tick_table, day)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON runs, schedules TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE ON run_totals, rate_budgets, completeness, archives TO nightdesk_writer;
GRANT SELECT ON runs, run_totals, schedules, rate_budgets, completeness, archives TO nightdesk_reader;
