-- Each symbol with the minutes of its first bar and of its newest: what came before was never promised.
SELECT s.symbol_id, s.feed, s.symbol, extract(epoch FROM first.time)::int8 / 60, extract(epoch FROM newest.time)::int8 / 60
FROM symbols AS s
JOIN LATERAL (SELECT time FROM bars AS b WHERE b.symbol_id = s.symbol_id ORDER BY time LIMIT 1) AS first ON true
JOIN LATERAL (
    SELECT time FROM bars AS b WHERE b.symbol_id = s.symbol_id ORDER BY time DESC LIMIT 1
) AS newest ON true
WHERE s.feed = ANY (%(feeds)s::text[]) AND (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s::text)
ORDER BY s.feed, s.symbol
