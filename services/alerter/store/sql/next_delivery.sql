-- The most urgent delivery of a channel that is due: what has been due for longest, so that one that is refused each time
-- neither holds up the rest nor waits behind all that is newer. About any one alert, and when it fires anew, a channel is
-- told in order: what waits for its next attempt holds up what came after it.
SELECT deliveries.*, notifications.kind, notifications.tier, notifications.created_s, notifications.message
FROM deliveries JOIN notifications USING (notification_id)
WHERE deliveries.channel = :channel AND deliveries.ended_s IS NULL AND deliveries.state = 'queued'
    AND deliveries.due_s <= :now_s
    AND NOT EXISTS (
        SELECT 1
        FROM deliveries AS earlier
        JOIN notified AS its ON its.notification_id = earlier.notification_id
        JOIN alerts AS one ON one.alert_id = its.alert_id
        JOIN alerts AS same ON same.fingerprint = one.fingerprint AND same.alert_id >= one.alert_id
        JOIN notified AS mine ON mine.alert_id = same.alert_id AND mine.notification_id = deliveries.notification_id
        WHERE earlier.channel = deliveries.channel AND earlier.ended_s IS NULL
            AND earlier.notification_id < deliveries.notification_id
    )
ORDER BY deliveries.urgency, deliveries.due_s, deliveries.attempts, deliveries.notification_id
LIMIT 1
