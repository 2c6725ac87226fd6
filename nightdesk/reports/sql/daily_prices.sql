-- Each symbol's day in one bar, the busiest first, and its close before that day.
SELECT
    s.symbol_id, s.feed, s.symbol, b.open, b.high, b.low, b.close, b.volume, b.quote_volume, b.trades, b.minutes,
    (
        SELECT p.close FROM bars AS p
        WHERE p.symbol_id = s.symbol_id AND p.time < %(begin)s AND p.time >= %(begin)s - interval '7 days'
        ORDER BY p.time DESC LIMIT 1
    ) AS before
FROM symbols AS s
JOIN (
    SELECT
        symbol_id,
        (array_agg(open ORDER BY time))[1] AS open,
        max(high) AS high,
        min(low) AS low,
        (array_agg(close ORDER BY time DESC))[1] AS close,
        sum(volume ORDER BY time) AS volume,
        sum(quote_volume ORDER BY time) AS quote_volume,
        sum(trades)::int8 AS trades,
        count(*) AS minutes
    FROM bars
    WHERE time >= %(begin)s AND time < %(end)s AND symbol_id = ANY (ARRAY(SELECT symbol_id FROM symbols))
    GROUP BY symbol_id
) AS b USING (symbol_id)
ORDER BY b.trades DESC, s.feed, s.symbol
