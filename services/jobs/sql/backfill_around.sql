-- What is stored around a gap in time: the time of the newest trade received before it, and the times of the first two
-- moments after it.
SELECT
    (SELECT (extract(epoch FROM max(time)) * 1000000)::int8 FROM trades
        WHERE symbol_id = %(symbol_id)s AND received_at <= %(from)s::timestamptz
            AND time BETWEEN %(from)s::timestamptz - interval '1 hour' AND %(from)s::timestamptz + interval '1 minute'),
    (SELECT array_agg(at ORDER BY at) FROM (
        SELECT DISTINCT (extract(epoch FROM time) * 1000000)::int8 AS at FROM trades
        WHERE symbol_id = %(symbol_id)s AND received_at >= %(to)s::timestamptz
            AND time BETWEEN %(to)s::timestamptz - interval '1 minute' AND %(to)s::timestamptz + interval '1 day'
        ORDER BY at LIMIT 2
    ) AS after)
