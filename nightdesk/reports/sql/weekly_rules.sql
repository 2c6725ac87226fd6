-- Every rule that fired within the ninety days before the end of the week, with the tier it had last.
SELECT DISTINCT ON (name) name, tier, started_at AS last_at
FROM alert_history
WHERE tier <> 'info' AND started_at >= %(end)s - interval '90 days' AND started_at < %(end)s
ORDER BY name, started_at DESC
