-- The rows of a range of pages, a column at a time: hundreds of thousands of rows are one message, which nobody takes apart.
SELECT
    count(*) AS rows,
    string_agg(int4send(symbol_id), ''::bytea) AS symbol_id,
    string_agg(int2send(side), ''::bytea) AS side,
    string_agg(timestamptz_send(time), ''::bytea) AS time,
    string_agg(int8send(trade_id), ''::bytea) AS trade_id,
    string_agg(float8send(price), ''::bytea) AS price,
    string_agg(float8send(size), ''::bytea) AS size,
    string_agg(timestamptz_send(exchange_time), ''::bytea) AS exchange_time,
    string_agg(timestamptz_send(received_at), ''::bytea) AS received_at,
    string_agg(int2send(((trade_id IS NULL)::int + 2 * (exchange_time IS NULL)::int)::int2), ''::bytea) AS nulls
FROM trades
WHERE time >= %(from)s AND time < %(to)s AND ctid >= %(low)s::tid AND ctid < %(high)s::tid
