-- The depth with the highest number of each symbol.
SELECT DISTINCT ON (s.symbol) s.symbol, d.sequence, d.bids, d.asks, d.spread, d.pressure_ratio
FROM depths AS d
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s
ORDER BY s.symbol, d.sequence DESC
