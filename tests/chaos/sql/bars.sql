-- Bars as they are stored.
SELECT
    s.symbol,
    (extract(epoch FROM b.time) / 60)::int8,
    b.open, b.high, b.low, b.close, b.volume, b.buy_volume, b.quote_volume, b.trades
FROM bars AS b
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s AND b.time >= to_timestamp(%(since)s)
