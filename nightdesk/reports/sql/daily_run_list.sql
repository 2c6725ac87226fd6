-- Runs of that day that failed or were missed.
SELECT run_id, job, scheduled_for, state, attempts, coalesce(nullif(error, ''), reason) AS why
FROM runs
WHERE scheduled_for >= %(begin)s AND scheduled_for < %(end)s AND state IN ('failed', 'missed')
ORDER BY scheduled_for, run_id
LIMIT 50
