-- A quiet symbol's bar is closed by the clock.
UPDATE bars AS b
SET closed = true
FROM symbols AS s
JOIN leases AS l ON l.feed = s.feed AND l.shard = s.shard
WHERE b.symbol_id = s.symbol_id AND l.consumer = ANY (%(consumers)s::text[])
    AND NOT b.closed AND b.time < to_timestamp(%(before_s)s::float8) - interval '1 minute'
