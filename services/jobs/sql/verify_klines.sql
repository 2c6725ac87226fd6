-- The exchange's own candles that are stored already.
SELECT (extract(epoch FROM time)::int8 / 60), open, high, low, close, volume, trades
FROM klines
WHERE symbol_id = %(symbol_id)s AND "interval" = '1m' AND closed
    AND time >= %(from)s::timestamptz AND time < %(to)s::timestamptz
ORDER BY time
