INSERT INTO bars AS b (
    symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed
)
SELECT
    symbol_id, to_timestamp(minute * 60), open, high, low, close, volume, buy_volume, quote_volume, trades, open_key,
    close_key, false
FROM unnest(
    %(symbol)s::int4[], %(minute)s::int8[], %(open)s::float8[], %(high)s::float8[], %(low)s::float8[],
    %(close)s::float8[], %(volume)s::float8[], %(buy_volume)s::float8[], %(quote_volume)s::float8[],
    %(trades)s::int8[], %(open_key)s::int8[], %(close_key)s::int8[]
) AS turn (
    symbol_id, minute, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key
)
ON CONFLICT (symbol_id, time) DO UPDATE SET
    open = CASE WHEN excluded.open_key < b.open_key THEN excluded.open ELSE b.open END,
    high = greatest(b.high, excluded.high),
    low = least(b.low, excluded.low),
    close = CASE WHEN excluded.close_key >= b.close_key THEN excluded.close ELSE b.close END,
    volume = b.volume + excluded.volume,
    buy_volume = b.buy_volume + excluded.buy_volume,
    quote_volume = b.quote_volume + excluded.quote_volume,
    trades = b.trades + excluded.trades,
    open_key = least(b.open_key, excluded.open_key),
    close_key = greatest(b.close_key, excluded.close_key)
