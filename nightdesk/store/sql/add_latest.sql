INSERT INTO latest AS l (
    symbol_id, kind, side, time, received_at, sequence, price, size, bid_price, bid_size, ask_price, ask_size, spread,
    pressure_ratio
)
SELECT
    symbol_id, kind, side, to_timestamp(time_us / 1000000.0), to_timestamp(received_us / 1000000.0), sequence, price,
    size, bid_price, bid_size, ask_price, ask_size, spread, pressure_ratio
FROM unnest(
    %(symbol_id)s::int4[], %(kind)s::int2[], %(side)s::int2[], %(time_us)s::int8[], %(received_us)s::int8[],
    %(sequence)s::int8[], %(price)s::float8[], %(size)s::float8[], %(bid_price)s::float8[], %(bid_size)s::float8[],
    %(ask_price)s::float8[], %(ask_size)s::float8[], %(spread)s::float8[], %(pressure_ratio)s::float8[]
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
WHERE excluded.time >= l.time
