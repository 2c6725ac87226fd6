-- What the rows say of each job, for metrics. Times are Unix seconds, 0 where there is none.
SELECT
    j.job,
    coalesce(extract(epoch FROM good.finished_at), 0)::float8,
    coalesce(extract(epoch FROM good.scheduled_for), 0)::float8,
    coalesce(extract(epoch FROM bad.scheduled_for), 0)::float8,
    coalesce(extract(epoch FROM CASE bad.state WHEN 'failed' THEN bad.finished_at END), 0)::float8,
    coalesce(extract(epoch FROM CASE bad.state WHEN 'missed' THEN bad.finished_at END), 0)::float8,
    coalesce(extract(epoch FROM last.finished_at - last.started_at), 0)::float8,
    coalesce(extract(epoch FROM open.next_at), 0)::float8,
    coalesce(open.late_s, 0)::float8,
    coalesce(open.running_s, 0)::float8,
    coalesce(open.timeout_s, 0)::float8,
    coalesce(open.queued, 0),
    coalesce(open.running, 0),
    (SELECT count(*) FROM runs WHERE job = j.job AND overlapped)
FROM unnest(%(jobs)s::text[]) AS j (job)
LEFT JOIN LATERAL (
    SELECT finished_at, scheduled_for FROM runs
    WHERE job = j.job AND state = 'succeeded' ORDER BY scheduled_for DESC LIMIT 1
) AS good ON true
LEFT JOIN LATERAL (
    SELECT scheduled_for, finished_at, state FROM runs
    WHERE job = j.job AND state IN ('failed', 'missed') ORDER BY scheduled_for DESC LIMIT 1
) AS bad ON true
LEFT JOIN LATERAL (
    SELECT started_at, finished_at FROM runs
    WHERE job = j.job AND state IN ('succeeded', 'failed') AND started_at IS NOT NULL
    ORDER BY scheduled_for DESC LIMIT 1
) AS last ON true
LEFT JOIN (
    SELECT
        job,
        min(scheduled_for) FILTER (WHERE state = 'expected' AND due_at > %(now)s) AS next_at,
        max(extract(epoch FROM %(now)s - due_at)) FILTER (
            WHERE state IN ('expected', 'queued') AND due_at <= %(now)s AND after = '{}'
        ) AS late_s,
        max(extract(epoch FROM %(now)s - started_at)) FILTER (WHERE state = 'running') AS running_s,
        max(timeout_s) FILTER (WHERE state = 'running') AS timeout_s,
        count(*) FILTER (WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state = 'running') AS running
    FROM runs
    WHERE state IN ('expected', 'queued', 'running')
    GROUP BY job
) AS open ON open.job = j.job
