-- The highest id stored before a day, and the lowest after it.
SELECT
    (SELECT close_key FROM bars WHERE symbol_id = %(symbol_id)s AND time < %(from)s::timestamptz
        ORDER BY time DESC LIMIT 1),
    (SELECT open_key FROM bars WHERE symbol_id = %(symbol_id)s AND time >= %(to)s::timestamptz ORDER BY time LIMIT 1)
