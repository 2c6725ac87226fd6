-- Of the gaps opened that day those to be looked at first: what cannot be filled, what is open, then the longest to fill.
SELECT
    g.gap_id, s.feed, s.symbol, g.kind, g.cause, g.state, g.source, g.quality, g.reason, g.from_time, g.to_time,
    g.opened_at, (g.to_id - g.from_id + 1)::int8 AS ids,
    CASE WHEN g.state = 'filled' THEN extract(epoch FROM g.updated_at - g.opened_at)::float8 END AS fill_s
FROM gaps AS g
JOIN symbols AS s USING (symbol_id)
WHERE g.opened_at >= %(begin)s AND g.opened_at < %(end)s
ORDER BY
    g.state = 'filled', g.state <> 'unfillable',
    CASE WHEN g.state = 'filled' THEN g.updated_at - g.opened_at END DESC, g.gap_id
LIMIT 20
