-- Take what is free or expired, or promised for longer than any lease lasts (a minute): then the clock was set back, and
-- waiting for it could take days. Old owners' backends are returned for termination: a process stopped in the middle of
-- a COPY holds its locks until then.
WITH free AS (
    SELECT consumer, owner, backend_pid, backend_start
    FROM leases
    WHERE owner IS NULL OR expires_at < now() OR expires_at > now() + interval '2 minutes'
    ORDER BY shard, feed
    LIMIT %(wanted)s
    FOR UPDATE SKIP LOCKED
)
UPDATE leases AS l
SET owner = %(worker)s, expires_at = now() + %(lease_s)s * interval '1 second', backend_pid = %(backend_pid)s,
    backend_start = %(backend_start)s, epoch = l.epoch + 1
FROM free
WHERE l.consumer = free.consumer
RETURNING l.consumer, l.epoch, free.owner, free.backend_pid, free.backend_start
