-- What waited because its channel was left alone goes now.
UPDATE deliveries SET due_s = :now_s, failing_s = NULL
WHERE channel = :channel AND ended_s IS NULL AND state = 'queued' AND failing_s = 0
