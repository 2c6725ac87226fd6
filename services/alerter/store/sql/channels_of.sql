SELECT channel, state FROM deliveries WHERE notification_id = :notification_id
