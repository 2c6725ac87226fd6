SELECT service, level, sum(lines)::int8 AS lines
FROM log_counts
WHERE day = %(day)s
GROUP BY service, level
ORDER BY service, level
