-- When services were heard last that were heard on each of the observed days up to then; for a week, then they are gone.
SELECT s.source, s.service, s.last_at
FROM log_services AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS heard
    FROM (
        SELECT DISTINCT c.day FROM log_counts AS c
        WHERE c.day <= s.last_at::date AND c.day > s.last_at::date - 14
        ORDER BY c.day DESC
        LIMIT %(days)s
    ) AS o
    WHERE EXISTS (SELECT FROM log_counts AS c WHERE c.day = o.day AND c.service = s.service)
) AS u
WHERE s.last_at < %(at)s AND s.last_at > %(at)s - interval '8 days' AND u.heard = %(days)s
ORDER BY s.source, s.service
