INSERT INTO events (feed, shard, symbol_id, time, name, kind, from_id, to_id, since, cause)
SELECT
    feed, shard, nullif(symbol_id, 0), to_timestamp(received_us / 1000000.0), name, kind, nullif(from_id, -1),
    nullif(to_id, -1), to_timestamp(nullif(since_us, 0) / 1000000.0), cause
FROM unnest(
    %(feed)s::text[], %(shard)s::int4[], %(symbol_id)s::int4[], %(received_us)s::int8[], %(name)s::text[],
    %(kind)s::int2[], %(from_id)s::int8[], %(to_id)s::int8[], %(since_us)s::int8[], %(cause)s::text[]
) AS turn (feed, shard, symbol_id, received_us, name, kind, from_id, to_id, since_us, cause)
