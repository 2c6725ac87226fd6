-- Three months of minutes of a symbol, and a month of what the reports are about.
INSERT INTO symbols (feed, symbol, shard) VALUES ('archive', 'BTCUSD', 0);

INSERT INTO bars (symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed)
SELECT symbol_id, at, 64000 + drift, 64010 + drift, 63990 + drift, 64005 + drift, 12.5, 6.25, 800000, 40, 1, 2, true
FROM symbols, generate_series(timestamptz '2026-01-01 00:00+00', timestamptz '2026-03-31 23:59+00', '1 minute') AS at,
    LATERAL (SELECT 1000 * sin(extract(epoch FROM at) / 86400)::float8 AS drift) AS drifts
WHERE symbol = 'BTCUSD';

INSERT INTO completeness (symbol_id, day, minutes, complete, missing_ids, differing, unchecked, percent)
SELECT symbol_id, day, 1440, 1438, 12, 0, 0, 99.86
FROM symbols, generate_series(date '2026-03-01', date '2026-03-31', '1 day') AS day
WHERE symbol = 'BTCUSD';

INSERT INTO runs (job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s, started_at, finished_at)
SELECT 'job_' || job, at, 'nothing', 'schedule', 'job_' || job, 'succeeded', at, 900, 86400, 60, at, at + interval '3 seconds'
FROM generate_series(1, 12) AS job, generate_series(timestamptz '2026-03-01', timestamptz '2026-03-31', '1 hour') AS at;

INSERT INTO alert_history (started_at, alert_id, name, tier, source, summary, ended_at, told_at)
SELECT at, number, 'FeedSilent', 'warning', 'prometheus', 'a feed is silent', at + interval '5 minutes', at
FROM generate_series(1, 300) AS number, LATERAL (SELECT timestamptz '2026-03-01' + number * interval '2 hours' AS at) AS times;

INSERT INTO log_counts (day, service, level, event, lines)
SELECT day, 'service_' || service, level, 'event_' || event, 50
FROM generate_series(date '2026-03-01', date '2026-03-31', '1 day') AS day, generate_series(1, 8) AS service,
    unnest(ARRAY['info', 'warning', 'error']) AS level, generate_series(1, 10) AS event;

INSERT INTO log_errors (day, fingerprint, service, level, event, template, sample, lines, first_at, last_at)
SELECT day, md5(number::text), 'service_' || number % 8, 'error', 'event', 'failed with <n>', 'failed with 7', number, day, day
FROM generate_series(timestamptz '2026-03-01', timestamptz '2026-03-31', '1 day') AS day, generate_series(1, 60) AS number
WHERE number % 7 <> extract(day FROM day)::int % 7;

INSERT INTO instruments (symbol, sector) SELECT 'S' || number, 'sector ' || number % 6 FROM generate_series(1, 40) AS number;
INSERT INTO traders (name) SELECT 'trader ' || number FROM generate_series(1, 12) AS number;
INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)
SELECT 'o' || number, i.instrument_id, t.trader_id, CASE WHEN number % 2 = 0 THEN 'buy' ELSE 'sell' END,
    1 + number % 90, 20 + number % 400, CASE WHEN number % 20 = 0 THEN 'failed' ELSE 'executed' END,
    timestamptz '2026-03-01' + number * interval '2 minutes'
FROM generate_series(1, 20000) AS number
JOIN instruments AS i ON i.symbol = 'S' || (1 + number % 40)
JOIN traders AS t ON t.name = 'trader ' || (1 + number % 12);

ANALYZE;
