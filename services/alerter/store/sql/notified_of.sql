SELECT alert_id FROM notified WHERE notification_id = :notification_id ORDER BY alert_id
