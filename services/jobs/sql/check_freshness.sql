-- When the newest tick of each symbol and kind of these feeds came, Unix seconds.
SELECT s.feed, s.symbol, l.kind, extract(epoch FROM l.received_at)::float8
FROM latest AS l
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = ANY (%(feeds)s::text[])
