SELECT (extract(epoch FROM time)::int8 / 60), open, high, low, close, volume, quote_volume, trades
FROM bars
WHERE symbol_id = %(symbol_id)s AND time >= %(from)s::timestamptz AND time < %(to)s::timestamptz
ORDER BY time
