SELECT
    (SELECT coalesce(max(alert_id), 0) FROM alerts) AS alert_id,
    (SELECT coalesce(max(notification_id), 0) FROM notifications) AS notification_id,
    (SELECT coalesce(max(silence_id), 0) FROM silences) AS silence_id
