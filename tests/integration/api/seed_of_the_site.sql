-- A desk with something on every page: bars until now, gaps, runs, a day's logs with errors old and new, orders.
INSERT INTO feeds (feed, shards) VALUES ('simulator', 8), ('kraken', 8);
INSERT INTO symbols (feed, symbol, shard) VALUES ('simulator', 'BTCUSDT', 3), ('simulator', 'ETHUSDT', 5), ('kraken', 'BTC/USD', 1);
INSERT INTO bars (
    symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed
)
SELECT
    symbol_id, minute, 100 + sin(n / 30.0), 102 + sin(n / 30.0), 99 + sin(n / 30.0), 101 + sin(n / 30.0), 1, 0.5, 10, 3,
    n, n, true
FROM
    symbols,
    generate_series(date_trunc('minute', now()) - interval '2 days', now(), interval '1 minute')
        WITH ORDINALITY AS minutes (minute, n)
WHERE n % 500 > 20;
INSERT INTO latest (symbol_id, kind, side, time, received_at, sequence, price, size)
SELECT symbol_id, 1, 1, now(), now(), 42, 67000.5, 0.25 FROM symbols;
INSERT INTO latest (symbol_id, kind, time, received_at, sequence, bid_price, bid_size, ask_price, ask_size)
SELECT symbol_id, 3, now(), now(), 43, 67000, 1, 67001, 2 FROM symbols;
INSERT INTO completeness (symbol_id, day, minutes, complete, missing_ids, differing, unchecked, percent)
SELECT symbol_id, day, 1440, 1439, 3, 0, 0, 99.93
FROM symbols, unnest(ARRAY[current_date - 1, current_date - 2]) AS day;
INSERT INTO gaps (
    symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state, source, quality, reason, tries, opened_at
)
SELECT
    1 + n % 3, 1, n * 100, n * 100 + 9, now() - interval '1 hour', now(),
    CASE WHEN n % 3 = 0 THEN int8multirange(int8range(n * 100, n * 100 + 10)) END,
    'disconnected: closed by the exchange (1006)', (ARRAY['open', 'filled', 'unfillable'])[1 + n % 3],
    CASE WHEN n % 3 = 1 THEN 'binance historicalTrades' ELSE '' END, CASE WHEN n % 3 = 1 THEN 'trades' ELSE '' END,
    CASE WHEN n % 3 = 2 THEN 'the exchange has no history' ELSE '' END, n % 4, now() - n * interval '20 minutes'
FROM generate_series(1, 120) AS n;
INSERT INTO runs (
    job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s, attempts, attempts_allowed,
    started_at, finished_at, result, error, log, args
)
SELECT
    (ARRAY['backup', 'verify_data', 'disk_guard'])[1 + n % 3], now() - n * interval '25 minutes', 'backup', 'schedule',
    'backup', (ARRAY['succeeded', 'failed', 'succeeded', 'missed'])[1 + n % 4], now(), 60, 3600, 60, 1, 3,
    now() - n * interval '25 minutes', now() - n * interval '24 minutes', '{"rows": 1200, "files": ["a", "b"]}',
    CASE WHEN n % 4 = 1 THEN 'UnavailableError: the target s3://desk/backups does not answer within 10 s' END,
    '{"event": "backup.started", "level": "info"}', '{"keep": 3}'
FROM generate_series(1, 120) AS n;
INSERT INTO log_files (source, path, head_bytes, head_sha256, seen_at)
VALUES ('services', 'collector/collector-a.jsonl', 1024, repeat('a', 64), now());
INSERT INTO log_counts (day, service, level, event, lines)
SELECT day::date, service, level, 'session.' || level, 40
FROM
    generate_series(current_date - 8, current_date, interval '1 day') AS day,
    unnest(ARRAY['collector', 'worker', 'api']) AS service,
    unnest(ARRAY['info', 'warning', 'error']) AS level;
INSERT INTO log_errors (day, fingerprint, service, level, event, template, sample, lines, first_at, last_at)
SELECT
    day::date, CASE n WHEN 1 THEN '0123456789abcdef' ELSE 'fedcba9876543210' END, 'collector', 'error', 'session.failed',
    'session.failed reason=<*>', 'session.failed reason=a very long reason that goes on and on', 7,
    day + interval '1 hour', day + interval '3 hours'
FROM generate_series(current_date - 8, current_date, interval '1 day') AS day, generate_series(1, 2) AS n
WHERE n = 1 OR day >= current_date - 1;
INSERT INTO log_events (log_file_id, "offset", time, service, level, event, message, fingerprint, fields)
SELECT
    1, day_number * 1000 + n, current_date - day_number + n * interval '5 minutes', 'collector', 'error',
    'session.failed', 'session.failed reason=a very long reason that goes on and on',
    (ARRAY['0123456789abcdef', 'fedcba9876543210'])[1 + n % 2], '{"reason": "timeout", "attempt": 3}'
FROM generate_series(0, 2) AS day_number, generate_series(1, 20) AS n;
INSERT INTO log_unparsed (day, source, reason, lines, samples)
SELECT current_date - n, 'services', 'no JSON', 2, '[{"path": "a.jsonl", "offset": 7, "line": "{broken"}]' FROM generate_series(0, 1) AS n;
INSERT INTO instruments (symbol, name, sector) VALUES ('AAPL', 'Apple', 'Technology'), ('XOM', 'Exxon Mobil', 'Energy');
INSERT INTO traders (name, kind) VALUES ('momentum', 'strategy'), ('ann', 'account');
INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)
SELECT
    'o-' || n, 1 + n % 2, 1 + n % 2, (ARRAY['buy', 'sell'])[1 + n % 2], 10 + n % 7, 100 + n % 13,
    (ARRAY['executed', 'executed', 'executed', 'pending', 'cancelled', 'failed'])[1 + n % 6],
    now() - n * interval '3 hours'
FROM generate_series(1, 200) AS n;
INSERT INTO alert_history (started_at, alert_id, name, tier, source, summary, ended_at, told_at, acknowledged_at, acknowledged_by)
SELECT
    now() - n * interval '5 hours', n, (ARRAY['FeedSilent', 'DiskLow'])[1 + n % 2], (ARRAY['critical', 'warning'])[1 + n % 2],
    'prometheus', 'something was wrong', now() - n * interval '5 hours' + interval '20 minutes',
    now() - n * interval '5 hours' + interval '1 minute', now() - n * interval '5 hours' + interval '5 minutes', 'link'
FROM generate_series(1, 20) AS n;
