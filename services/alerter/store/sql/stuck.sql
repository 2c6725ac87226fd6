-- Since when the most overdue delivery waits for its first attempt on a channel that can be used; but for what waits
-- behind a failing one about the same alert, and for what another channel delivered.
SELECT min(due_s) AS since_s FROM deliveries
WHERE ended_s IS NULL AND failing_s IS NULL AND channel IN (SELECT value FROM json_each(:channels))
    AND NOT EXISTS (
        SELECT 1 FROM deliveries AS other
        WHERE other.notification_id = deliveries.notification_id AND other.state = 'delivered'
    )
    AND NOT EXISTS (
        SELECT 1
        FROM deliveries AS earlier
        JOIN notified AS its ON its.notification_id = earlier.notification_id
        JOIN alerts AS one ON one.alert_id = its.alert_id
        JOIN alerts AS same ON same.fingerprint = one.fingerprint AND same.alert_id >= one.alert_id
        JOIN notified AS mine ON mine.alert_id = same.alert_id AND mine.notification_id = deliveries.notification_id
        WHERE earlier.channel = deliveries.channel AND earlier.ended_s IS NULL AND earlier.failing_s IS NOT NULL
            AND earlier.notification_id < deliveries.notification_id
    )
