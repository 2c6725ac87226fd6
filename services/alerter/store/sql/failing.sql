-- Deliveries that another channel has to stand in for: given up, failing for too long, or urgent and not even tried for
-- too long, while no other channel has delivered the same or is about to.
SELECT deliveries.delivery_id, deliveries.notification_id, deliveries.channel, deliveries.urgency,
    notifications.kind, notifications.groups
FROM deliveries JOIN notifications USING (notification_id)
WHERE is_stood_in = 0 AND state <> 'delivered' AND state <> 'withdrawn'
    AND (state = 'failed' OR failing_s <= :since_s OR (urgency = 0 AND failing_s IS NULL AND due_s <= :since_s))
    AND notifications.created_s > :after_s
    AND NOT EXISTS (
        SELECT 1 FROM deliveries AS other
        WHERE other.notification_id = deliveries.notification_id
            AND (
                other.state = 'delivered'
                OR (other.ended_s IS NULL AND other.failing_s IS NULL AND other.due_s > :since_s)
            )
    )
ORDER BY delivery_id
