-- What holds up an urgent message about the same alert is as urgent, and tried at once; but not on a channel that is left
-- alone.
UPDATE deliveries SET urgency = :urgency, due_s = CASE WHEN failing_s = 0 THEN due_s ELSE min(due_s, :due_s) END
WHERE channel = :channel AND ended_s IS NULL AND notification_id < :notification_id
    AND EXISTS (
        SELECT 1
        FROM notified AS its
        JOIN alerts AS one ON one.alert_id = its.alert_id
        JOIN alerts AS same ON same.fingerprint = one.fingerprint AND same.alert_id >= one.alert_id
        JOIN notified AS mine ON mine.alert_id = same.alert_id AND mine.notification_id = :notification_id
        WHERE its.notification_id = deliveries.notification_id
    )
