-- Since when something urgent has reached nobody and still should.
SELECT min(created_s) AS since_s FROM notifications
WHERE created_s > :after_s
    AND EXISTS (
        SELECT 1 FROM deliveries
        WHERE deliveries.notification_id = notifications.notification_id AND urgency = 0
            AND (state IN ('queued', 'sending') OR (state = 'failed' AND is_stood_in = 0))
    )
    AND NOT EXISTS (
        SELECT 1 FROM deliveries
        WHERE deliveries.notification_id = notifications.notification_id AND state = 'delivered'
    )
