-- What every turn with ticks writes beside them, in one statement: three would cost a small turn a fifth more.
WITH marked AS (
    INSERT INTO marks AS m (symbol_id, kind, mark, last_received_at, stored, duplicates)
    SELECT symbol_id, kind, mark, to_timestamp(received_us / 1000000.0), stored, duplicates
    FROM unnest(
        %(mark_symbols)s::int4[], %(mark_kinds)s::int2[], %(mark_marks)s::int8[], %(mark_received_us)s::int8[],
        %(mark_stored)s::int8[], %(mark_duplicates)s::int8[]
    ) AS turn (symbol_id, kind, mark, received_us, stored, duplicates)
    ON CONFLICT (symbol_id, kind) DO UPDATE SET
        mark = greatest(m.mark, excluded.mark),
        last_received_at = greatest(m.last_received_at, excluded.last_received_at),
        stored = m.stored + excluded.stored,
        duplicates = m.duplicates + excluded.duplicates
), folded AS (
    INSERT INTO bars AS b (
        symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed
    )
    SELECT
        symbol_id, to_timestamp(minute * 60), open, high, low, close, volume, buy_volume, quote_volume, trades,
        open_key, close_key, false
    FROM unnest(
        %(bar_symbol)s::int4[], %(bar_minute)s::int8[], %(bar_open)s::float8[], %(bar_high)s::float8[],
        %(bar_low)s::float8[], %(bar_close)s::float8[], %(bar_volume)s::float8[], %(bar_buy_volume)s::float8[],
        %(bar_quote_volume)s::float8[], %(bar_trades)s::int8[], %(bar_open_key)s::int8[], %(bar_close_key)s::int8[]
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
)
INSERT INTO latest AS l (
    symbol_id, kind, side, time, received_at, sequence, price, size, bid_price, bid_size, ask_price, ask_size, spread,
    pressure_ratio
)
SELECT
    symbol_id, kind, side, to_timestamp(time_us / 1000000.0), to_timestamp(received_us / 1000000.0), sequence, price,
    size, bid_price, bid_size, ask_price, ask_size, spread, pressure_ratio
FROM unnest(
    %(latest_symbol_id)s::int4[], %(latest_kind)s::int2[], %(latest_side)s::int2[], %(latest_time_us)s::int8[],
    %(latest_received_us)s::int8[], %(latest_sequence)s::int8[], %(latest_price)s::float8[],
    %(latest_size)s::float8[], %(latest_bid_price)s::float8[], %(latest_bid_size)s::float8[],
    %(latest_ask_price)s::float8[], %(latest_ask_size)s::float8[], %(latest_spread)s::float8[],
    %(latest_pressure_ratio)s::float8[]
) AS turn (
    symbol_id, kind, side, time_us, received_us, sequence, price, size, bid_price, bid_size, ask_price, ask_size,
    spread, pressure_ratio
)
ON CONFLICT (symbol_id, kind) DO UPDATE SET
    side = excluded.side,
    time = excluded.time,
    received_at = excluded.received_at,
    sequence = excluded.sequence,
    price = excluded.price,
    size = excluded.size,
    bid_price = excluded.bid_price,
    bid_size = excluded.bid_size,
    ask_price = excluded.ask_price,
    ask_size = excluded.ask_size,
    spread = excluded.spread,
    pressure_ratio = excluded.pressure_ratio
-- Quotes and depth with numbers only rise (kinds 3 and 4); where the exchange sends no time, theirs is a clock's.
WHERE excluded.time >= l.time OR (l.kind IN (3, 4) AND excluded.sequence > l.sequence)
