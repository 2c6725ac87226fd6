-- Alerts that the alerter knows no more, since its file began anew: they do not fire for ever.
UPDATE alert_history
SET ended_at = greatest(started_at, %(begin)s)
WHERE ended_at IS NULL AND started_at < %(until)s AND NOT alert_id = ANY (%(known)s::int8[])
