-- Alerts that had not ended when they were last heard of.
SELECT alert_id
FROM alert_history
WHERE ended_at IS NULL AND started_at < %(before)s
