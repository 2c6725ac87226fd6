-- Every run that is under way or due, and those that the due ones come after.
WITH open AS (
    SELECT * FROM runs
    WHERE state IN ('queued', 'running') OR (state = 'expected' AND due_at <= %(now)s)
), before AS (
    SELECT r.* FROM runs AS r
    WHERE EXISTS (
        SELECT FROM open
        WHERE open.state = 'expected' AND r.job = ANY (open.after) AND r.scheduled_for = open.scheduled_for
    )
)
SELECT
    run_id, job, scheduled_for, state, origin, after, due_at, grace_s, catch_up, max_age_s, timeout_s,
    attempts, attempts_allowed, backoff_s, sent_at, beat_at, finished_at, overlapped
FROM (SELECT * FROM open UNION SELECT * FROM before) AS found
ORDER BY scheduled_for, run_id
