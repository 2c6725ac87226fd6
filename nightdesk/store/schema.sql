-- The whole schema as it is now. `migrations/` leads here step by step, and a test compares the two.
-- Times are UTC. Prices and sizes are float8: exact for the up to 15 significant digits that exchanges send.
-- `kind` is the number of nightdesk.ticks.Kind. Roles are made by `python -m nightdesk.store.migrate`.

CREATE TABLE feeds (
    feed text PRIMARY KEY,
    shards int NOT NULL CHECK (shards > 0)
);

CREATE TABLE symbols (
    symbol_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed text NOT NULL,
    symbol text NOT NULL,
    shard int NOT NULL,
    UNIQUE (feed, symbol)
);

-- Ticks. `time` is the exchange's time where it sends one, else the receive time; one partition a UTC day.

CREATE TABLE trades (
    symbol_id int NOT NULL,
    side int2 NOT NULL,
    time timestamptz NOT NULL,
    trade_id int8,
    price float8 NOT NULL,
    size float8 NOT NULL,
    exchange_time timestamptz,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (time);

CREATE TABLE agg_trades (
    symbol_id int NOT NULL,
    side int2 NOT NULL,
    time timestamptz NOT NULL,
    agg_id int8,
    first_id int8,
    last_id int8,
    price float8 NOT NULL,
    size float8 NOT NULL,
    exchange_time timestamptz,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (time);

CREATE TABLE quotes (
    symbol_id int NOT NULL,
    time timestamptz NOT NULL,
    sequence int8,
    bid_price float8,
    bid_size float8,
    ask_price float8,
    ask_size float8,
    exchange_time timestamptz,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (time);

-- `bids` and `asks` are flat, price and size in turn, best first.
CREATE TABLE depths (
    symbol_id int NOT NULL,
    time timestamptz NOT NULL,
    sequence int8,
    spread float8,
    pressure_ratio float8,
    exchange_time timestamptz,
    received_at timestamptz NOT NULL,
    bids float8[] NOT NULL,
    asks float8[] NOT NULL
) PARTITION BY RANGE (time);

CREATE INDEX trades_time ON trades USING brin (time) WITH (autosummarize = on);
CREATE INDEX agg_trades_time ON agg_trades USING brin (time) WITH (autosummarize = on);
CREATE INDEX quotes_time ON quotes USING brin (time) WITH (autosummarize = on);
CREATE INDEX depths_time ON depths USING brin (time) WITH (autosummarize = on);

-- The exchange's own candles; never mixed with `bars`.
CREATE TABLE klines (
    symbol_id int NOT NULL,
    "interval" text NOT NULL,
    time timestamptz NOT NULL,
    close_time timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8 NOT NULL,
    trades int8 NOT NULL,
    closed bool NOT NULL,
    received_at timestamptz NOT NULL,
    source text NOT NULL DEFAULT 'stream',
    PRIMARY KEY (symbol_id, "interval", time)
);

-- What a feed said about itself.
CREATE TABLE events (
    feed text NOT NULL,
    shard int NOT NULL,
    symbol_id int,
    time timestamptz NOT NULL,
    name text NOT NULL,
    kind int2 NOT NULL,
    from_id int8,
    to_id int8,
    since timestamptz,
    cause text NOT NULL
);

CREATE INDEX events_time ON events (feed, shard, time);

-- One-minute bars of trades; `closed = false` is the open bar. Open by lowest key, close by highest.
CREATE TABLE bars (
    symbol_id int NOT NULL,
    time timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8 NOT NULL,
    buy_volume float8 NOT NULL,
    quote_volume float8 NOT NULL,
    trades int8 NOT NULL,
    open_key int8 NOT NULL,
    close_key int8 NOT NULL,
    closed bool NOT NULL,
    PRIMARY KEY (symbol_id, time)
) WITH (fillfactor = 80);

CREATE INDEX bars_open ON bars (symbol_id, time) WHERE NOT closed;

-- The newest tick of each symbol and kind.
CREATE TABLE latest (
    symbol_id int NOT NULL,
    kind int2 NOT NULL,
    side int2,
    time timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    sequence int8,
    price float8,
    size float8,
    bid_price float8,
    bid_size float8,
    ask_price float8,
    ask_size float8,
    spread float8,
    pressure_ratio float8,
    PRIMARY KEY (symbol_id, kind)
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The highest id seen, and what was stored and dropped as a duplicate, since the beginning.
CREATE TABLE marks (
    symbol_id int NOT NULL,
    kind int2 NOT NULL,
    mark int8,
    last_received_at timestamptz NOT NULL,
    stored int8 NOT NULL,
    duplicates int8 NOT NULL,
    PRIMARY KEY (symbol_id, kind)
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What was not received. `missing` shrinks as ids arrive after all; gaps without ids are bounded by time alone.
CREATE TABLE gaps (
    gap_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol_id int NOT NULL,
    kind int2 NOT NULL,
    from_id int8,
    to_id int8,
    from_time timestamptz,
    to_time timestamptz,
    missing int8multirange,
    cause text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'filling', 'filled', 'unfillable')),
    opened_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- How it was filled and how good that is: 'trades' are the exchange's own, one by one, 'bars' only its candles, in klines.
    source text NOT NULL DEFAULT '',
    quality text NOT NULL DEFAULT '' CHECK (quality IN ('', 'trades', 'aggregated', 'bars')),
    -- Why it cannot be filled, or not yet.
    reason text NOT NULL DEFAULT '',
    tries int NOT NULL DEFAULT 0
);

CREATE INDEX gaps_opened ON gaps (opened_at) WHERE state IN ('open', 'filling');
CREATE INDEX gaps_day ON gaps (opened_at);
CREATE INDEX gaps_missing ON gaps (symbol_id, kind) WHERE state <> 'filled' AND missing IS NOT NULL;
CREATE INDEX gaps_time ON gaps (symbol_id, kind, from_time);

-- Frames, and ticks of frames, that could not be stored: the newest of them.
CREATE TABLE quarantine (
    quarantine_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed text NOT NULL,
    shard int NOT NULL,
    entry_id text NOT NULL,
    reason text NOT NULL,
    error text NOT NULL,
    payload bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- Durable consumers: who owns which, and how far each is. `backend_*` name the owner's server process, which whoever
-- takes over terminates.

CREATE TABLE workers (
    worker text PRIMARY KEY,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 30);

CREATE TABLE leases (
    consumer text PRIMARY KEY,
    feed text NOT NULL,
    shard int NOT NULL,
    owner text,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    backend_pid int,
    backend_start timestamptz,
    epoch int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 30);

CREATE TABLE positions (
    consumer text NOT NULL,
    stream text NOT NULL,
    entry_id text NOT NULL DEFAULT '0-0',
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, stream)
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

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
    restored_at timestamptz,
    PRIMARY KEY (tick_table, day)
);

-- What is traded, by the name that orders use; `symbol` need not be one that ticks are collected of.
CREATE TABLE instruments (
    instrument_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    name text NOT NULL DEFAULT '',
    sector text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- Who trades: a strategy or an account.
CREATE TABLE traders (
    trader_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL DEFAULT 'account' CHECK (kind IN ('strategy', 'account')),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- `reference` is the order's name outside: the same one again is the same order, whatever has become of it since.
-- Money is numeric. NaN is larger than infinity there, so that one upper bound keeps both out.
-- `recorded_at` is when the row last changed.
CREATE TABLE orders (
    order_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    instrument_id int NOT NULL REFERENCES instruments,
    trader_id int NOT NULL REFERENCES traders,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity numeric NOT NULL CHECK (quantity > 0 AND quantity < 'infinity'),
    price numeric NOT NULL CHECK (price > 0 AND price < 'infinity'),
    total_value numeric GENERATED ALWAYS AS (quantity * price) STORED,
    status text NOT NULL CHECK (status IN ('executed', 'pending', 'cancelled', 'failed')),
    ordered_at timestamptz NOT NULL CHECK (ordered_at > '-infinity' AND ordered_at < 'infinity'),
    reason text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_time ON orders (ordered_at);
CREATE INDEX orders_day ON orders (((ordered_at AT TIME ZONE 'UTC')::date));
CREATE INDEX orders_instrument ON orders (instrument_id, ordered_at);
CREATE INDEX orders_trader ON orders (trader_id, ordered_at);

-- One row a UTC day with orders. Only what was executed has a volume; `average` is its value an order.
CREATE VIEW daily_summary AS
SELECT
    (ordered_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS orders,
    count(*) FILTER (WHERE status = 'executed') AS executed,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'executed' AND side = 'buy') AS buys,
    count(*) FILTER (WHERE status = 'executed' AND side = 'sell') AS sells,
    coalesce(sum(total_value) FILTER (WHERE status = 'executed'), 0) AS volume,
    coalesce(avg(total_value) FILTER (WHERE status = 'executed'), 0) AS average
FROM orders
GROUP BY 1;

-- Episodes of alerts, copied from the alerter, which forgets its own. Its numbers begin anew with a new file, hence the key.
CREATE TABLE alert_history (
    started_at timestamptz NOT NULL,
    alert_id int8 NOT NULL,
    name text NOT NULL,
    tier text NOT NULL,
    source text NOT NULL,
    summary text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    ended_at timestamptz,
    told_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (started_at, alert_id)
);

CREATE INDEX alert_history_name ON alert_history (name, started_at);

-- One measurement of a UTC day. What is not here is not known, which is another thing than 0.
CREATE TABLE daily_facts (
    day date NOT NULL,
    fact text NOT NULL,
    subject text NOT NULL DEFAULT '',
    value float8 NOT NULL,
    PRIMARY KEY (day, fact, subject)
);

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

-- Make the partition of a UTC day unless it is there. LIKE and ATTACH instead of PARTITION OF, whose lock on the parent
-- waits for every running COPY and makes every later one wait behind it.
CREATE FUNCTION ensure_day(tick_table text, day date) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    day_table text := tick_table || to_char(day, '_YYYYMMDD');
BEGIN
    IF tick_table NOT IN ('trades', 'agg_trades', 'quotes', 'depths') THEN
        RAISE EXCEPTION '% is not a table of ticks', tick_table USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('nightdesk.days'), hashtext(tick_table));
    IF to_regclass(day_table) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', day_table, tick_table);
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        tick_table, day_table, day::timestamptz, (day + 1)::timestamptz
    );
    RETURN true;
END
$$;

-- Drop the partition of a UTC day that is over; gives up after a second rather than hold up those who write. With
-- `expected_rows`, only if it holds exactly so many: nobody can add one between the count and the drop.
CREATE FUNCTION drop_day(tick_table text, day date, expected_rows int8 DEFAULT NULL) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s'
AS $$
DECLARE
    day_table text := tick_table || to_char(day, '_YYYYMMDD');
    found_rows int8;
BEGIN
    IF tick_table NOT IN ('trades', 'agg_trades', 'quotes', 'depths') THEN
        RAISE EXCEPTION '% is not a table of ticks', tick_table USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF day >= current_date - 1 THEN
        RAISE EXCEPTION '% is too recent to be dropped', day USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(day_table) IS NULL THEN
        RETURN false;
    END IF;
    IF expected_rows IS NOT NULL THEN
        EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', day_table);
        EXECUTE format('SELECT count(*) FROM %I', day_table) INTO found_rows;
        IF found_rows <> expected_rows THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('DROP TABLE %I', day_table);
    RETURN true;
END
$$;

-- The fence: move positions forward only for the owner of their consumers and only from where it believed them to be.
-- Anything else is an error, so that the transaction around it cannot commit.
CREATE FUNCTION advance_positions(
    claimant text, consumers text[], streams text[], previous text[], following text[]
) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    moved int;
BEGIN
    UPDATE positions AS p
    SET entry_id = step.following, committed_at = clock_timestamp()
    FROM unnest(consumers, streams, previous, following) AS step (consumer, stream, previous, following)
    JOIN leases AS l ON l.consumer = step.consumer AND l.owner = claimant
    WHERE p.consumer = step.consumer AND p.stream = step.stream AND p.entry_id = step.previous;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(consumers) THEN
        RAISE EXCEPTION 'only % of % positions are still where % left them', moved, cardinality(consumers), claimant
            USING ERRCODE = 'ND001';
    END IF;
END
$$;

REVOKE ALL ON FUNCTION ensure_day(text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION drop_day(text, date, int8) FROM PUBLIC;
REVOKE ALL ON FUNCTION advance_positions(text, text[], text[], text[], text[]) FROM PUBLIC;

-- The writer (workers, jobs) writes rows and makes days; it changes no schema and forgets nothing but what is bounded.
GRANT EXECUTE ON FUNCTION ensure_day(text, date) TO nightdesk_writer;
GRANT EXECUTE ON FUNCTION drop_day(text, date, int8) TO nightdesk_writer;
GRANT EXECUTE ON FUNCTION advance_positions(text, text[], text[], text[], text[]) TO nightdesk_writer;
GRANT SELECT, INSERT ON trades, agg_trades, quotes, depths, events TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE ON feeds, symbols, klines, bars, latest, marks, gaps, leases, positions
    TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine, workers, runs, schedules TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_history, daily_facts TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE ON run_totals, rate_budgets, completeness, archives TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON log_files, log_events, log_meanings TO nightdesk_writer;
GRANT SELECT, INSERT, UPDATE ON log_counts, log_errors, log_unparsed, log_services TO nightdesk_writer;

-- The clerk (the api, where it records) writes orders and what they name, and sees nothing else.
GRANT SELECT, INSERT, UPDATE ON instruments, traders, orders TO nightdesk_clerk, nightdesk_writer;
GRANT SELECT ON daily_summary TO nightdesk_writer;

-- The reader (api, Grafana) sees everything and changes nothing.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO nightdesk_reader;
