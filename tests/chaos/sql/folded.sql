-- Bars as the stored trades make them, the slow and obvious way: open and close are the prices at the lowest and highest
-- id, looked up rather than sorted for, since there may be millions.
WITH ours AS (
    SELECT symbol_id, symbol FROM symbols WHERE feed = %(feed)s
),

fold AS (
    SELECT
        t.symbol_id,
        date_trunc('minute', t.time) AS minute,
        min(t.trade_id) AS first_id,
        max(t.trade_id) AS last_id,
        max(t.price) AS high,
        min(t.price) AS low,
        sum(t.size) AS volume,
        coalesce(sum(t.size) FILTER (WHERE t.side = 1), 0) AS buy_volume,
        sum(t.price * t.size) AS quote_volume,
        count(*) AS trades
    FROM trades AS t
    JOIN ours USING (symbol_id)
    WHERE t.time >= to_timestamp(%(since)s)
    GROUP BY t.symbol_id, minute
),

opened AS (
    SELECT f.symbol_id, f.minute, min(t.price) AS price
    FROM fold AS f
    JOIN trades AS t ON t.symbol_id = f.symbol_id AND t.trade_id = f.first_id
    WHERE t.time >= to_timestamp(%(since)s)
    GROUP BY f.symbol_id, f.minute
),

closed AS (
    SELECT f.symbol_id, f.minute, min(t.price) AS price
    FROM fold AS f
    JOIN trades AS t ON t.symbol_id = f.symbol_id AND t.trade_id = f.last_id
    WHERE t.time >= to_timestamp(%(since)s)
    GROUP BY f.symbol_id, f.minute
)

SELECT
    ours.symbol,
    (extract(epoch FROM f.minute) / 60)::int8,
    o.price,
    f.high,
    f.low,
    c.price,
    f.volume,
    f.buy_volume,
    f.quote_volume,
    f.trades
FROM fold AS f
JOIN ours USING (symbol_id)
JOIN opened AS o USING (symbol_id, minute)
JOIN closed AS c USING (symbol_id, minute)
