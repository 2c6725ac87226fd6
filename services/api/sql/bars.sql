-- The latest bars of a range, rolled up from minutes. The innermost query takes as many minutes as the wanted bars can
-- hold at most, so that a short answer never reads a long history: the primary key serves it backwards. A bar is closed
-- once its last minute is, or once a later minute has begun.
WITH minutes AS (
    SELECT *
    FROM bars
    WHERE symbol_id = %(symbol_id)s
        AND time >= coalesce(%(from)s::timestamptz, '-infinity')
        AND time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY time DESC
    LIMIT %(bars)s::bigint * %(minutes)s
),
newest AS (
    SELECT max(time) AS time FROM bars WHERE symbol_id = %(symbol_id)s
),
binned AS (
    SELECT date_bin(make_interval(mins => %(minutes)s), time, timestamptz '2000-01-01 00:00:00+00') AS bin, *
    FROM minutes
)
SELECT
    binned.bin AS time,
    (array_agg(binned.open ORDER BY binned.time))[1] AS open,
    max(binned.high) AS high,
    min(binned.low) AS low,
    (array_agg(binned.close ORDER BY binned.time DESC))[1] AS close,
    sum(binned.volume) AS volume,
    sum(binned.buy_volume) AS buy_volume,
    sum(binned.quote_volume) AS quote_volume,
    sum(binned.trades)::bigint AS trades,
    bool_or(
        newest.time >= binned.bin + make_interval(mins => %(minutes)s)
        OR (binned.closed AND binned.time = binned.bin + make_interval(mins => %(minutes)s - 1))
    ) AS closed
FROM binned, newest
GROUP BY binned.bin
ORDER BY binned.bin DESC
LIMIT %(bars)s
