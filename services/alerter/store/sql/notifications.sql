-- Notifications, the newest first; of one alert where :alert_id is given.
SELECT notification_id, kind, tier, created_s, message FROM notifications
WHERE (:alert_id IS NULL OR notification_id IN (SELECT notification_id FROM notified WHERE alert_id = :alert_id))
    AND (:before IS NULL OR notification_id < :before)
ORDER BY notification_id DESC LIMIT :limit
