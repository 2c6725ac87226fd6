WITH moved AS (
    UPDATE symbols AS s
    SET shard = new.shard
    FROM unnest(%(symbols)s::text[], %(places)s::int4[]) AS new (symbol, shard)
    WHERE s.feed = %(feed)s AND s.symbol = new.symbol
)
UPDATE feeds SET shards = %(shards)s WHERE feed = %(feed)s
