-- What the feed said of a closed candle is the exchange's word already, and stays.
INSERT INTO klines AS k (
    symbol_id, "interval", time, close_time, open, high, low, close, volume, trades, closed, received_at, source
)
SELECT
    %(symbol_id)s, '1m', to_timestamp(open_s), to_timestamp(open_s) + interval '60 s', open, high, low, close, volume,
    trades, true, now(), 'rest'
FROM unnest(
    %(open_s)s::int8[], %(open)s::float8[], %(high)s::float8[], %(low)s::float8[], %(close)s::float8[],
    %(volume)s::float8[], %(trades)s::int8[]
) AS candle (open_s, open, high, low, close, volume, trades)
ON CONFLICT (symbol_id, "interval", time) DO UPDATE SET
    close_time = excluded.close_time,
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume = excluded.volume,
    trades = excluded.trades,
    closed = true,
    received_at = excluded.received_at,
    source = excluded.source
WHERE NOT k.closed
