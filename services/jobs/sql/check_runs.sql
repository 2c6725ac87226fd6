-- When each job's next run is for, Unix seconds.
SELECT j.job, extract(epoch FROM min(r.scheduled_for))::float8
FROM unnest(%(jobs)s::text[]) AS j (job)
LEFT JOIN runs AS r ON r.job = j.job AND r.scheduled_for > %(now)s AND r.state = 'expected'
GROUP BY j.job
