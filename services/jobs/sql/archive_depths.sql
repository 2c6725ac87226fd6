SELECT
    count(*) AS rows,
    string_agg(int4send(symbol_id), ''::bytea) AS symbol_id,
    string_agg(timestamptz_send(time), ''::bytea) AS time,
    string_agg(int8send(sequence), ''::bytea) AS sequence,
    string_agg(float8send(spread), ''::bytea) AS spread,
    string_agg(float8send(pressure_ratio), ''::bytea) AS pressure_ratio,
    string_agg(timestamptz_send(exchange_time), ''::bytea) AS exchange_time,
    string_agg(timestamptz_send(received_at), ''::bytea) AS received_at,
    string_agg(array_send(bids), ''::bytea) AS bids,
    string_agg(int4send(cardinality(bids)), ''::bytea) AS bids_counts,
    string_agg(array_send(asks), ''::bytea) AS asks,
    string_agg(int4send(cardinality(asks)), ''::bytea) AS asks_counts,
    string_agg(
        int2send((
            (sequence IS NULL)::int + 2 * (spread IS NULL)::int + 4 * (pressure_ratio IS NULL)::int
            + 8 * (exchange_time IS NULL)::int
        )::int2),
        ''::bytea
    ) AS nulls
FROM depths
WHERE time >= %(from)s AND time < %(to)s AND ctid >= %(low)s::tid AND ctid < %(high)s::tid
