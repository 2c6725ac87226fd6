-- Gaps of these feeds that are to be filled: how many, and when the oldest of the last day was opened, Unix seconds.
SELECT
    s.feed,
    count(*),
    extract(epoch FROM min(g.opened_at) FILTER (WHERE g.opened_at > %(now)s - interval '1 day'))::float8
FROM gaps AS g
JOIN symbols AS s USING (symbol_id)
WHERE g.state IN ('open', 'filling') AND s.feed = ANY (%(feeds)s::text[])
GROUP BY s.feed
