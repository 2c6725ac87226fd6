-- Make the bars of some minutes anew from their trades: what was lost after it was stored is in its bar already.
INSERT INTO bars AS b (
    symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed
)
SELECT
    symbol_id, minute, (array_agg(price ORDER BY key))[1], max(price), min(price), (array_agg(price ORDER BY key DESC))[1],
    sum(size), coalesce(sum(size) FILTER (WHERE side = 1), 0), sum(price * size), count(*), min(key), max(key), false
FROM (
    SELECT symbol_id, price, size, side, date_bin('1 minute', time, 'epoch') AS minute,
        coalesce(trade_id, (extract(epoch FROM time) * 1000000)::int8 * 1000) AS key
    FROM trades
    WHERE symbol_id = %(symbol_id)s AND time >= to_timestamp(%(from_s)s) AND time < to_timestamp(%(to_s)s)
) AS stored
WHERE minute = ANY (SELECT to_timestamp(wanted * 60) FROM unnest(%(minutes)s::int8[]) AS wanted)
GROUP BY symbol_id, minute
ON CONFLICT (symbol_id, time) DO UPDATE SET
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume = excluded.volume,
    buy_volume = excluded.buy_volume,
    quote_volume = excluded.quote_volume,
    trades = excluded.trades,
    open_key = excluded.open_key,
    close_key = excluded.close_key
