SELECT symbol_id, feed, symbol FROM symbols WHERE symbol_id = %(symbol_id)s
