-- When the gaps that can be filled were opened, since then.
SELECT DISTINCT date_trunc('second', opened_at)
FROM gaps
WHERE state = 'open' AND kind = ANY (%(kinds)s::int2[]) AND opened_at > %(since)s
ORDER BY 1
LIMIT 1000
