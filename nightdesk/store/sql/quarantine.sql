-- Keep the newest only: numbers rise by one, so that the oldest to keep is known without counting.
WITH added AS (
    INSERT INTO quarantine (feed, shard, entry_id, reason, error, payload)
    SELECT * FROM unnest(
        %(feeds)s::text[], %(shards)s::int4[], %(entry_ids)s::text[], %(reasons)s::text[], %(errors)s::text[],
        %(payloads)s::bytea[]
    )
    RETURNING quarantine_id
)
DELETE FROM quarantine WHERE quarantine_id <= (SELECT max(quarantine_id) FROM added) - %(keep)s
