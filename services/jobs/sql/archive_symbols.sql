SELECT symbol_id, feed, symbol FROM symbols ORDER BY symbol_id
