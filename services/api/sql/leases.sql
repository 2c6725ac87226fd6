-- How many consumers each feed has, how many of them are owned, by how many workers, and for how long the longest
-- unowned one has been so (null: for ever, its lease was never taken).
SELECT
    feed,
    count(*)::int AS consumers,
    count(*) FILTER (WHERE owner IS NOT NULL AND expires_at > now())::int AS owned,
    count(DISTINCT owner) FILTER (WHERE expires_at > now())::int AS workers,
    extract(
        epoch FROM now() - min(expires_at) FILTER (WHERE expires_at <= now() AND isfinite(expires_at))
    )::float8 AS unowned_s
FROM leases
GROUP BY feed
ORDER BY feed
