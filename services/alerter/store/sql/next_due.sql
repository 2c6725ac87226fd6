SELECT min(due_s) AS due_s FROM deliveries
WHERE channel = :channel AND ended_s IS NULL AND state = 'queued' AND due_s > :now_s
