-- Every run that is under way or due, and those that the due ones come after.
WITH open AS (
    SELECT * FROM runs
    WHERE state IN ('queued', 'running') OR (state = 'expected' AND due_at <= %(now)s)
), wanted AS (
    SELECT DISTINCT unnest(after) AS job, scheduled_for FROM open WHERE state = 'expected'
), found AS (
    SELECT * FROM open
    UNION ALL
    -- In the order of the table's columns, as above: USING would move its own to the front.
    SELECT r.* FROM wanted AS w JOIN runs AS r ON r.job = w.job AND r.scheduled_for = w.scheduled_for
    WHERE NOT EXISTS (SELECT FROM open WHERE open.run_id = r.run_id)
)
SELECT
    run_id, job, scheduled_for, state, origin, after, due_at, grace_s, catch_up, max_age_s, timeout_s,
    attempts, attempts_allowed, backoff_s, sent_at, beat_at, finished_at, overlapped
FROM found
ORDER BY scheduled_for, run_id
