-- A symbol's day in bars of a quarter of an hour.
SELECT
    date_bin('15 minutes', time, %(begin)s) AS time,
    min(low) AS low,
    max(high) AS high,
    (array_agg(close ORDER BY time DESC))[1] AS close,
    sum(volume ORDER BY time) AS volume
FROM bars
WHERE symbol_id = %(symbol_id)s AND time >= %(begin)s AND time < %(end)s
GROUP BY 1
ORDER BY 1
