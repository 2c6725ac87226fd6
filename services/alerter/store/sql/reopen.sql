-- A delivery that was given to another channel is tried again: that one fails as well.
UPDATE deliveries SET state = 'queued', ended_s = NULL, is_stood_in = 0, failing_s = NULL, due_s = :now_s
WHERE notification_id = :notification_id AND channel = :channel
