-- The quote with the highest number of each symbol.
SELECT DISTINCT ON (s.symbol) s.symbol, q.sequence, q.bid_price, q.bid_size, q.ask_price, q.ask_size
FROM quotes AS q
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s
ORDER BY s.symbol, q.sequence DESC
