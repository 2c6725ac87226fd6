-- Alerts that the alerter knows no more, since its file began anew: they do not fire for ever. Its numbers begin anew as
-- well, so that only the number and the time of the beginning together say that it is the same.
UPDATE alert_history
SET ended_at = greatest(started_at, %(begin)s)
WHERE ended_at IS NULL
    AND started_at < %(until)s
    AND NOT EXISTS (
        SELECT FROM unnest(%(started)s::timestamptz[], %(known)s::int8[]) AS k (started_at, alert_id)
        WHERE (k.started_at, k.alert_id) = (alert_history.started_at, alert_history.alert_id)
    )
