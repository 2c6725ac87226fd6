SELECT (extract(epoch FROM time) * 1000000)::int8, price, size, side
FROM trades
WHERE symbol_id = %(symbol_id)s AND time BETWEEN to_timestamp(%(from_us)s / 1000000.0) AND to_timestamp(%(to_us)s / 1000000.0)
