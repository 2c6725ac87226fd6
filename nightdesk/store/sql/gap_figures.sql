SELECT s.feed, g.kind, count(*), least(coalesce(sum(width.ids), 0), 9223372036854775807)::int8
FROM gaps AS g
JOIN symbols AS s USING (symbol_id)
JOIN leases AS l ON l.feed = s.feed AND l.shard = s.shard
CROSS JOIN LATERAL (SELECT sum(upper(r) - lower(r)) AS ids FROM unnest(g.missing) AS r) AS width
WHERE g.state IN ('open', 'filling') AND l.consumer = ANY (%(consumers)s::text[])
GROUP BY s.feed, g.kind
