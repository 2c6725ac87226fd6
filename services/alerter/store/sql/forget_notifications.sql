DELETE FROM notifications WHERE created_s < :before_s AND NOT EXISTS (
    SELECT 1 FROM deliveries WHERE deliveries.notification_id = notifications.notification_id
        AND state IN ('queued', 'sending')
)
