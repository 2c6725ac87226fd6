SELECT
    count(*) AS rows,
    string_agg(int4send(symbol_id), ''::bytea) AS symbol_id,
    string_agg(timestamptz_send(time), ''::bytea) AS time,
    string_agg(int8send(sequence), ''::bytea) AS sequence,
    string_agg(float8send(bid_price), ''::bytea) AS bid_price,
    string_agg(float8send(bid_size), ''::bytea) AS bid_size,
    string_agg(float8send(ask_price), ''::bytea) AS ask_price,
    string_agg(float8send(ask_size), ''::bytea) AS ask_size,
    string_agg(timestamptz_send(exchange_time), ''::bytea) AS exchange_time,
    string_agg(timestamptz_send(received_at), ''::bytea) AS received_at,
    string_agg(
        int2send((
            (sequence IS NULL)::int + 2 * (bid_price IS NULL)::int + 4 * (bid_size IS NULL)::int
            + 8 * (ask_price IS NULL)::int + 16 * (ask_size IS NULL)::int + 32 * (exchange_time IS NULL)::int
        )::int2),
        ''::bytea
    ) AS nulls
FROM quotes
WHERE time >= %(from)s AND time < %(to)s AND ctid >= %(low)s::tid AND ctid < %(high)s::tid
