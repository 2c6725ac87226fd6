SELECT notification_id, kind, tier, created_s, message FROM notifications WHERE notification_id = :notification_id
