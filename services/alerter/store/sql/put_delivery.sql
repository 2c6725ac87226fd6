INSERT OR IGNORE INTO deliveries (notification_id, channel, urgency, state, due_s)
VALUES (:notification_id, :channel, :urgency, 'queued', :due_s)
