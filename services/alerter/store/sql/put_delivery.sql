-- A delivery; one for a channel that is left alone waits as the rest of its queue does, and counts as failing since ever.
INSERT OR IGNORE INTO deliveries (notification_id, channel, urgency, state, due_s, failing_s)
SELECT :notification_id, :channel, :urgency, 'queued', coalesce(max(again_s), :due_s),
    CASE WHEN max(again_s) IS NOT NULL THEN 0.0 END
FROM disabled WHERE channel = :channel AND again_s > :due_s
