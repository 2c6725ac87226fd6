-- Alerts that began in the week.
SELECT
    alert_id, name, tier, source, summary, started_at, ended_at, told_at, acknowledged_at, acknowledged_by, note
FROM alert_history
WHERE tier <> 'info' AND started_at >= %(begin)s AND started_at < %(end)s
ORDER BY started_at, alert_id
