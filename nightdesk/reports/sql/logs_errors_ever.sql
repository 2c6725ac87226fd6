-- When each of the day's errors was first seen before it, if it ever was.
SELECT e.fingerprint, min(f.day) AS first_day
FROM log_errors AS e
JOIN log_errors AS f ON f.fingerprint = e.fingerprint AND f.day < e.day
WHERE e.day = %(day)s
GROUP BY e.fingerprint
ORDER BY e.fingerprint
