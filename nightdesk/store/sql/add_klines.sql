-- A closed candle is final: only another closed one replaces it.
INSERT INTO klines AS k (
    symbol_id, "interval", time, close_time, open, high, low, close, volume, trades, closed, received_at
)
SELECT
    symbol_id, "interval", to_timestamp(open_us / 1000000.0), to_timestamp(close_us / 1000000.0), open, high, low,
    close, volume, trades, closed, to_timestamp(received_us / 1000000.0)
FROM unnest(
    %(symbol_id)s::int4[], %(interval)s::text[], %(open_us)s::int8[], %(close_us)s::int8[], %(open)s::float8[],
    %(high)s::float8[], %(low)s::float8[], %(close)s::float8[], %(volume)s::float8[], %(trades)s::int8[],
    %(closed)s::bool[], %(received_us)s::int8[]
) AS turn (
    symbol_id, "interval", open_us, close_us, open, high, low, close, volume, trades, closed, received_us
)
ON CONFLICT (symbol_id, "interval", time) DO UPDATE SET
    close_time = excluded.close_time,
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume = excluded.volume,
    trades = excluded.trades,
    closed = excluded.closed,
    received_at = excluded.received_at
WHERE excluded.closed >= k.closed
