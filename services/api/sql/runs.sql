-- Runs, the newest first.
SELECT
    run_id, job, task, scheduled_for, origin, chain, after, args, state, reason, attempts, attempts_allowed, overlapped,
    worker, queued_at, started_at, finished_at,
    extract(epoch FROM coalesce(finished_at, CASE WHEN state = 'running' THEN now() END) - started_at)::float8 AS duration_s,
    progress, result, error, log
FROM runs
WHERE (%(before)s::bigint IS NULL OR run_id < %(before)s)
    AND (%(run_id)s::bigint IS NULL OR run_id = %(run_id)s)
    AND (%(job)s::text IS NULL OR job = %(job)s)
    AND (%(chain)s::text IS NULL OR chain = %(chain)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY run_id DESC
LIMIT %(limit)s
