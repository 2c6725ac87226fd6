-- Where the ids of a day jump or repeat.
SELECT before, trade_id
FROM (
    SELECT trade_id, lag(trade_id) OVER (ORDER BY trade_id) AS before
    FROM trades
    WHERE symbol_id = %(symbol_id)s AND time >= %(from)s::timestamptz AND time < %(to)s::timestamptz
) AS neighbours
WHERE trade_id <> before + 1
ORDER BY trade_id
