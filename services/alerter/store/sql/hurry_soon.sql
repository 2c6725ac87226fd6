UPDATE deliveries SET due_s = min(due_s, :soon_s) WHERE ended_s IS NULL AND failing_s = 0
