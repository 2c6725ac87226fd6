-- Errors of the seven days before: how many lines on how many days, with the newest one's sample.
SELECT DISTINCT ON (e.fingerprint)
    e.fingerprint, e.service, e.level, e.event, e.template, e.sample,
    (sum(e.lines) OVER each)::int8 AS lines,
    (count(*) OVER each)::int AS days,
    (SELECT min(f.day) FROM log_errors AS f WHERE f.fingerprint = e.fingerprint) AS first_day
FROM log_errors AS e
WHERE e.day >= %(day)s::date - 7 AND e.day < %(day)s
WINDOW each AS (PARTITION BY e.fingerprint)
ORDER BY e.fingerprint, e.day DESC
