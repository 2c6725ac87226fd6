SELECT channel, ended_s FROM deliveries WHERE notification_id = :notification_id
