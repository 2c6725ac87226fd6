-- What a group has in the outbox of some kinds, once nothing of it needs anybody any more: it is neither tried again nor
-- given to another channel. An attempt that is under way may still arrive, and what tells of an end as well has to.
UPDATE deliveries SET
    is_stood_in = 1,
    ended_s = coalesce(ended_s, :now_s),
    state = CASE WHEN ended_s IS NULL THEN 'withdrawn' ELSE state END
WHERE (ended_s IS NULL OR (state = 'failed' AND is_stood_in = 0))
    AND EXISTS (
        SELECT 1 FROM notifications
        WHERE notifications.notification_id = deliveries.notification_id
            AND notifications.kind IN (SELECT value FROM json_each(:kinds))
            AND :group IN (SELECT value FROM json_each(notifications.groups))
            AND NOT EXISTS (
                SELECT 1 FROM json_each(notifications.message, '$.alerts')
                WHERE json_extract(value, '$.ended_s') IS NOT NULL
            )
    )
    AND NOT EXISTS (
        SELECT 1 FROM notified JOIN alerts USING (alert_id)
        WHERE notified.notification_id = deliveries.notification_id
            AND alerts.ended_s IS NULL AND alerts.acknowledged_s IS NULL
    )
