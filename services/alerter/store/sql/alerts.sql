-- Alerts, the newest first.
SELECT * FROM alerts
WHERE (:firing = 0 OR ended_s IS NULL) AND (:before IS NULL OR alert_id < :before)
ORDER BY alert_id DESC LIMIT :limit
