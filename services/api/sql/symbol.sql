-- A symbol by its name: one row a feed that has it.
SELECT symbol_id, feed, symbol
FROM symbols
WHERE symbol = %(symbol)s AND (%(feed)s::text IS NULL OR feed = %(feed)s)
ORDER BY feed
