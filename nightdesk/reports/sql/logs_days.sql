-- The day and those of the seven before that have any log.
SELECT d.day
FROM generate_series(%(day)s::date - 7, %(day)s::date, interval '1 day') AS s (at)
CROSS JOIN LATERAL (SELECT s.at::date AS day) AS d
WHERE EXISTS (SELECT FROM log_counts AS c WHERE c.day = d.day)
ORDER BY d.day
