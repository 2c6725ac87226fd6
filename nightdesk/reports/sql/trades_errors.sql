-- What each service logged as an error on the days of a period.
SELECT
    service,
    coalesce(sum(lines) FILTER (WHERE level = 'error'), 0)::int8 AS errors,
    coalesce(sum(lines) FILTER (WHERE level = 'critical'), 0)::int8 AS critical
FROM log_counts
WHERE day BETWEEN %(first)s::date AND %(last)s::date AND level IN ('error', 'critical')
GROUP BY service
ORDER BY sum(lines) DESC, service
