-- Gaps of trades and aggregate trades, the oldest first; quotes and depth have no history anywhere.
SELECT
    g.gap_id, g.symbol_id, s.feed, s.symbol, s.shard, g.kind, g.missing,
    (extract(epoch FROM coalesce(g.from_time, g.opened_at)) * 1000000)::int8,
    (extract(epoch FROM coalesce(g.to_time, g.opened_at)) * 1000000)::int8,
    (extract(epoch FROM g.opened_at) * 1000000)::int8,
    g.cause
FROM gaps AS g
JOIN symbols AS s USING (symbol_id)
WHERE g.state = ANY (%(states)s::text[])
    AND g.kind IN (1, 2)
    AND s.feed = ANY (%(feeds)s::text[])
    AND (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s::text)
    AND (%(from)s::timestamptz IS NULL OR coalesce(g.to_time, g.opened_at) >= %(from)s::timestamptz)
    AND (%(to)s::timestamptz IS NULL OR coalesce(g.from_time, g.opened_at) < %(to)s::timestamptz)
ORDER BY coalesce(g.from_time, g.opened_at), g.gap_id
