INSERT OR IGNORE INTO notified (notification_id, alert_id) VALUES (:notification_id, :alert_id)
