-- What a shard's feed said since the oldest gap of a turn began.
SELECT coalesce(symbol_id, 0), name, kind, coalesce(from_id, -1), coalesce(to_id, -1),
    coalesce((extract(epoch FROM since) * 1000000)::int8, 0), (extract(epoch FROM time) * 1000000)::int8, cause
FROM events
WHERE feed = %(feed)s AND shard = %(shard)s AND time >= to_timestamp(%(since_us)s::int8 / 1000000.0)
    AND name IN ('connected', 'disconnected', 'sequence_break')
ORDER BY time
