SELECT
    s.feed,
    g.kind,
    count(*) FILTER (WHERE g.state <> 'unfillable'),
    least(coalesce(sum(width.ids) FILTER (WHERE g.state <> 'unfillable'), 0), 9223372036854775807)::int8,
    count(*) FILTER (WHERE g.state = 'unfillable'),
    coalesce(
        extract(epoch FROM min(g.opened_at) FILTER (
            WHERE g.state <> 'unfillable' AND g.opened_at > now() - %(recent_s)s * interval '1 second'
        )),
        0
    )::float8,
    -- Where the exchange's candles stand in for the trades, nobody is woken.
    coalesce(
        extract(epoch FROM max(g.updated_at) FILTER (WHERE g.state = 'unfillable' AND g.quality <> 'bars')), 0
    )::float8
FROM gaps AS g
JOIN symbols AS s USING (symbol_id)
JOIN leases AS l ON l.feed = s.feed AND l.shard = s.shard
CROSS JOIN LATERAL (SELECT sum(upper(r) - lower(r)) AS ids FROM unnest(g.missing) AS r) AS width
WHERE g.state <> 'filled' AND l.consumer = ANY (%(consumers)s::text[])
GROUP BY s.feed, g.kind
