-- Bars as the stored trades make them, the slow and obvious way.
SELECT
    s.symbol,
    (extract(epoch FROM date_trunc('minute', t.time)) / 60)::int8 AS minute,
    (array_agg(t.price ORDER BY t.trade_id))[1],
    max(t.price),
    min(t.price),
    (array_agg(t.price ORDER BY t.trade_id DESC))[1],
    sum(t.size),
    coalesce(sum(t.size) FILTER (WHERE t.side = 1), 0),
    sum(t.price * t.size),
    count(*)
FROM trades AS t
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s AND t.time >= to_timestamp(%(since)s)
GROUP BY s.symbol, minute
