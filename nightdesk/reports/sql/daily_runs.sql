-- Runs that were for that day, by job.
SELECT
    job,
    count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'missed') AS missed,
    count(*) FILTER (WHERE state = 'skipped') AS skipped,
    count(*) FILTER (WHERE state IN ('expected', 'queued', 'running')) AS unfinished,
    max(extract(epoch FROM finished_at - started_at)::float8) AS longest_s
FROM runs
WHERE scheduled_for >= %(begin)s AND scheduled_for < %(end)s
GROUP BY job
ORDER BY job
