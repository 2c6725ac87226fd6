-- When a person acted, and how: acknowledged an alert, started a run by hand, asked for one.
SELECT acknowledged_at AS at, 'acknowledged ' || name AS act, acknowledged_by AS by
FROM alert_history
WHERE tier <> 'info' AND acknowledged_at >= %(begin)s AND acknowledged_at < %(end)s
UNION ALL
SELECT created_at, 'started ' || job, CASE origin WHEN 'hand' THEN 'make run' ELSE 'request' END
FROM runs
WHERE origin IN ('hand', 'request') AND created_at >= %(begin)s AND created_at < %(end)s
ORDER BY at, act, by
