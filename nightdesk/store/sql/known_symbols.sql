SELECT symbol, symbol_id FROM symbols WHERE feed = %(feed)s AND symbol = ANY (%(symbols)s::text[])
