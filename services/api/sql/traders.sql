-- Traders, the newest first.
SELECT trader_id, name, kind, recorded_at
FROM traders
WHERE (%(before)s::bigint IS NULL OR trader_id < %(before)s)
    AND (%(name)s::text IS NULL OR name = %(name)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY trader_id DESC
LIMIT %(limit)s
