-- Deliveries that another channel has to stand in for: failed, or failing for too long, while no other channel has
-- delivered the same or is about to.
SELECT deliveries.delivery_id, deliveries.notification_id, deliveries.channel, deliveries.urgency,
    deliveries.state, notifications.kind
FROM deliveries JOIN notifications USING (notification_id)
WHERE is_stood_in = 0 AND state <> 'delivered' AND state <> 'withdrawn' AND (state = 'failed' OR failing_s <= :since_s)
    AND notifications.created_s > :after_s
    AND NOT EXISTS (
        SELECT 1 FROM deliveries AS other
        WHERE other.notification_id = deliveries.notification_id
            AND (other.state = 'delivered' OR (other.ended_s IS NULL AND other.failing_s IS NULL))
    )
ORDER BY delivery_id
