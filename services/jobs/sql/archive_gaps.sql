-- Days of a kind that a gap reaches into which may still be filled.
SELECT DISTINCT kind, day::date
FROM gaps
CROSS JOIN LATERAL generate_series(
    date_trunc('day', from_time, 'UTC'), coalesce(to_time, from_time), interval '1 day'
) AS day
WHERE state IN ('open', 'filling') AND from_time IS NOT NULL AND from_time < %(before)s AND from_time > %(since)s
