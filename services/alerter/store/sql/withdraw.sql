-- What a group still has in the outbox of some kinds, and nobody needs to hear any more.
UPDATE deliveries SET state = 'withdrawn', ended_s = :now_s
WHERE ended_s IS NULL AND state = 'queued' AND EXISTS (
    SELECT 1 FROM notifications
    WHERE notifications.notification_id = deliveries.notification_id
        AND notifications.kind IN (SELECT value FROM json_each(:kinds))
        AND notifications.groups = json_array(:group)
)
