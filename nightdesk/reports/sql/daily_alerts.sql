-- Alerts that fired at some time of that day; `is_new` of those that began in it. Messages of jobs that only inform are none.
SELECT
    alert_id, name, tier, source, summary, started_at, ended_at, told_at, acknowledged_at, acknowledged_by, note,
    started_at >= %(begin)s AS is_new,
    ended_at IS NULL OR ended_at >= %(end)s AS is_firing
FROM alert_history
WHERE tier <> 'info' AND started_at < %(end)s AND (ended_at IS NULL OR ended_at >= %(begin)s)
ORDER BY started_at, alert_id
