SELECT symbol FROM symbols WHERE feed = %(feed)s ORDER BY symbol
