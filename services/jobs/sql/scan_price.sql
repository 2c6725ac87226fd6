-- What a symbol last traded at since then.
SELECT l.price
FROM latest AS l
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s AND s.symbol = %(symbol)s AND l.kind = %(kind)s AND l.price IS NOT NULL AND l.time >= %(since)s
