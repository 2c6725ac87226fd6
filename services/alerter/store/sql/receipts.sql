-- Deliveries that a person may still acknowledge where they arrived, and whether anything of them is still open.
SELECT deliveries.delivery_id, deliveries.notification_id, deliveries.channel, deliveries.receipt,
    EXISTS (
        SELECT 1 FROM notified JOIN alerts USING (alert_id)
        WHERE notified.notification_id = deliveries.notification_id
            AND alerts.ended_s IS NULL AND alerts.acknowledged_s IS NULL
    ) AS is_open
FROM deliveries WHERE receipt <> '' ORDER BY delivery_id
