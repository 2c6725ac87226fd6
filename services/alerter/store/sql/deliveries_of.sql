SELECT delivery_id, notification_id, channel, state, due_s, ended_s FROM deliveries
WHERE notification_id IN (SELECT value FROM json_each(:notifications)) ORDER BY delivery_id
