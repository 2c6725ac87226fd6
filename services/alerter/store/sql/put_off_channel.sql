-- What waits for a channel that is left alone: it counts as failing since ever.
UPDATE deliveries SET due_s = max(due_s, :due_s), failing_s = 0
WHERE channel = :channel AND ended_s IS NULL AND state = 'queued'
