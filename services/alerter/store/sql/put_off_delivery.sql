UPDATE deliveries SET state = 'queued', due_s = :due_s, failing_s = coalesce(failing_s, :now_s)
WHERE delivery_id = :delivery_id AND state = 'sending'
