WITH wanted AS (
    SELECT * FROM unnest(%(consumers)s::text[], %(streams)s::text[], %(feeds)s::text[], %(shards)s::int4[])
        AS one (consumer, stream, feed, shard)
), leased AS (
    INSERT INTO leases (consumer, feed, shard) SELECT consumer, feed, shard FROM wanted ON CONFLICT DO NOTHING
)
INSERT INTO positions (consumer, stream) SELECT consumer, stream FROM wanted ON CONFLICT DO NOTHING
