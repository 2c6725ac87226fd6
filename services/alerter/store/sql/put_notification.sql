INSERT INTO notifications (notification_id, kind, tier, created_s, groups, message)
VALUES (:notification_id, :kind, :tier, :created_s, :groups, :message)
