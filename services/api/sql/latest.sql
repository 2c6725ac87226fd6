-- The last tick of each symbol and kind.
SELECT
    symbols.feed, symbols.symbol, latest.kind, latest.time, latest.received_at, latest.sequence,
    latest.price, latest.size, latest.side,
    latest.bid_price, latest.bid_size, latest.ask_price, latest.ask_size,
    latest.spread, latest.pressure_ratio
FROM latest
JOIN symbols USING (symbol_id)
WHERE (%(feed)s::text IS NULL OR symbols.feed = %(feed)s)
    AND (%(symbol)s::text IS NULL OR symbols.symbol = %(symbol)s)
    AND (%(kind)s::int IS NULL OR latest.kind = %(kind)s)
ORDER BY symbols.feed, symbols.symbol, latest.kind
