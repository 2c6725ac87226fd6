-- Which of some ids are stored.
SELECT trade_id FROM trades
WHERE symbol_id = %(symbol_id)s AND time >= %(from)s::timestamptz AND time < %(to)s::timestamptz
    AND trade_id BETWEEN %(low)s AND %(high)s
ORDER BY trade_id
